namespace KestrelAcme.Certificates.RateLimits;

/// <summary>Limits how many jobs of a kind run at once, and how fast they follow each other.</summary>
internal interface IWorkGate
{
    /// <summary>Returns how many jobs of a lane, and of those that share its slots, may run at once.</summary>
    int Places(WorkLane lane);

    /// <summary>Takes the permission to start a job of a lane now.</summary>
    /// <returns><see langword="null"/> if it may start; otherwise the time to ask again.</returns>
    DateTimeOffset? TryStart(WorkLane lane, DateTimeOffset now);
}

/// <summary>The kinds of jobs. Each kind waits in a queue of its own, so that none delays another.</summary>
internal enum WorkLane
{
    /// <summary>Orders for names that have a certificate.</summary>
    Renewals,

    /// <summary>Orders for sets of names that are new to the CA.</summary>
    NewOrders,

    /// <summary>Requests for renewal information, and everything else that is not an order.</summary>
    Maintenance,
}
