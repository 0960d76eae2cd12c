namespace KestrelAcme.Testing;

/// <summary>The system's time, with a wall clock that a test moves ahead. Safe for concurrent use.</summary>
public sealed class ShiftedTimeProvider : TimeProvider
{
    private long _ahead;

    /// <summary>How far the wall clock is ahead. Timers and timestamps do not see it change.</summary>
    public TimeSpan Ahead
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _ahead));
        set => Interlocked.Exchange(ref _ahead, value.Ticks);
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}
