namespace KestrelAcme.Certificates.Orders;

/// <summary>What came of a rehearsal that did not fail.</summary>
internal enum RehearsalOutcome
{
    /// <summary>A challenge went from pending to valid.</summary>
    Passed,

    /// <summary>Nobody looked, or staging is not like production for this certificate.</summary>
    NothingProved,

    /// <summary>The staging service is in trouble itself.</summary>
    Unavailable,
}
