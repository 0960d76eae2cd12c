namespace KestrelAcme.Certificates;

/// <summary>The states of a managed certificate. The state is stored and survives a restart.</summary>
public enum CertificateState
{
    /// <summary>There is no certificate yet, and none is being ordered.</summary>
    Missing,

    /// <summary>The first certificate is being ordered.</summary>
    Ordering,

    /// <summary>A certificate is served, and no renewal is due.</summary>
    Valid,

    /// <summary>
    /// A certificate is served, and its renewal is due: it waits for a free slot, or for the next attempt after this machine failed.
    /// </summary>
    RenewalDue,

    /// <summary>A certificate is served, and its renewal is in progress.</summary>
    Renewing,

    /// <summary>The last attempt failed, and KestrelAcme waits before the next one. The current certificate is still served.</summary>
    Waiting,

    /// <summary>
    /// The last attempt failed for a reason that only an operator can fix. KestrelAcme retries daily, and as soon as DNS shows a change if
    /// a DNS record is missing. The current certificate is still served.
    /// </summary>
    Blocked,

    /// <summary>
    /// The certificate expired 30 days ago and its names no longer point to this application: they are gone from DNS, or another server
    /// answers at all their addresses. Nothing is ordered until a name points here again (checked once a day), the settings change, or the
    /// application calls <see cref="ICertificateManager.ObtainAsync"/> or <see cref="ICertificateManager.RenewAsync"/>. The expired
    /// certificate is still served.
    /// </summary>
    Abandoned,
}
