namespace KestrelAcme.Certificates.RateLimits;

/// <summary>The kinds of work; each waits in a queue of its own, so that none holds up another.</summary>
internal enum WorkLane
{
    /// <summary>Orders for names that have a certificate.</summary>
    Renewals,

    /// <summary>Orders for sets of names that are new to the authority.</summary>
    NewOrders,

    /// <summary>Questions for renewal information, and everything else that is no order.</summary>
    Maintenance,
}
