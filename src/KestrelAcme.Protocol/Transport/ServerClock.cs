namespace KestrelAcme.Protocol.Transport;

/// <summary>What the Date header of an answer said, and when that was by this machine's monotonic clock.</summary>
internal sealed record ServerClock(DateTimeOffset Date, long Since)
{
    /// <summary>How far the server is ahead. Reckoned anew each time, so that a correction of this machine's clock counts at once.</summary>
    public TimeSpan Skew(TimeProvider time) => Date - time.GetUtcNow() + time.GetElapsedTime(Since);
}
