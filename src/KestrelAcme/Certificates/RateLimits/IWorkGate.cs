namespace KestrelAcme.Certificates.RateLimits;

/// <summary>Says how many works of a kind run at once, and how fast they follow each other.</summary>
internal interface IWorkGate
{
    /// <summary>How many works of a lane, and of those that share its places, may run at once.</summary>
    int Places(WorkLane lane);

    /// <summary>Takes the right to start one work of a lane now.</summary>
    /// <returns><see langword="null"/> when it may start, else the time at which to ask again.</returns>
    DateTimeOffset? TryStart(WorkLane lane, DateTimeOffset now);
}
