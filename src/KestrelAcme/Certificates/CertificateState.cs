namespace KestrelAcme.Certificates;

/// <summary>Where a managed certificate stands. The state is stored and survives a restart.</summary>
public enum CertificateState
{
    /// <summary>There is no certificate yet and none is being ordered.</summary>
    Missing,

    /// <summary>The first certificate is being ordered.</summary>
    Ordering,

    /// <summary>A certificate is served and not yet due.</summary>
    Valid,

    /// <summary>A certificate is served, and a renewal waits for its turn.</summary>
    RenewalDue,

    /// <summary>A certificate is served while its successor is being ordered.</summary>
    Renewing,

    /// <summary>The last attempt failed; the next one waits for its time. What was served is still served.</summary>
    Waiting,

    /// <summary>The last attempt failed for a reason that only a person can repair. It is tried once a day, and as soon as DNS shows a change if the cause is a record.</summary>
    Blocked,

    /// <summary>
    /// The certificate expired 30 days ago and its names no longer point here: they are gone from DNS, or somebody else answers at all of their addresses. Nothing is ordered until a name is back (looked at
    /// once a day), the settings change, or somebody asks by <see cref="ICertificateManager.ObtainAsync"/> or <see cref="ICertificateManager.RenewAsync"/>. It is still served.
    /// </summary>
    Abandoned,
}
