namespace KestrelAcme.Testing;

/// <summary>The system clock, with a wall clock that a test can move ahead. Thread-safe.</summary>
public sealed class ShiftedTimeProvider : TimeProvider
{
    private long _ahead;

    /// <summary>How far the wall clock is ahead. Timers and timestamps are not affected.</summary>
    public TimeSpan Ahead
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _ahead));
        set => Interlocked.Exchange(ref _ahead, value.Ticks);
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}
