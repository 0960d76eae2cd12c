namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Says how many works of a kind run at once, and how fast they follow each other.</summary>
internal interface IWorkGate
{
    /// <summary>Whether one more work of a lane may run beside those that do.</summary>
    bool HasRoom(WorkLane lane, IReadOnlyDictionary<WorkLane, int> running);

    /// <summary>Takes the right to start one work of a lane now.</summary>
    /// <returns><see langword="null"/> when it may start, else the time at which to ask again.</returns>
    DateTimeOffset? TryStart(WorkLane lane, DateTimeOffset now);
}
