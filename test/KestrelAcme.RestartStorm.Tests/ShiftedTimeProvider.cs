namespace KestrelAcme.RestartStorm.Tests;

/// <summary>The system's time, with a wall clock that a test moves ahead.</summary>
internal sealed class ShiftedTimeProvider : TimeProvider
{
    private long _ahead;

    public TimeSpan Ahead
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _ahead));
        set => Interlocked.Exchange(ref _ahead, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}
