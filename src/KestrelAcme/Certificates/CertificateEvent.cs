namespace KestrelAcme.Certificates;

/// <summary>An event in the life of a managed certificate, as returned by <see cref="ICertificateManager.WatchAsync"/>.</summary>
/// <param name="Kind">The kind of event.</param>
/// <param name="CertificateId">The <see cref="CertificateStatus.Id"/> of the certificate.</param>
/// <param name="At">The time of the event.</param>
/// <param name="Message">A sentence that describes the event, for logs and consoles. It contains no secrets.</param>
/// <param name="Status">The status of the certificate after the event.</param>
public sealed record CertificateEvent(
    CertificateEventKind Kind, string CertificateId, DateTimeOffset At, string Message, CertificateStatus Status);

/// <summary>The kinds of events in the life of a managed certificate.</summary>
public enum CertificateEventKind
{
    /// <summary>An attempt to order or to renew a certificate began.</summary>
    Started,

    /// <summary>The account at the CA is ready for orders (RFC 8555 section 7.3).</summary>
    AccountReady,

    /// <summary>The order was placed (RFC 8555 section 7.4).</summary>
    OrderPlaced,

    /// <summary>The response to a challenge is in place, and the challenge was submitted for validation (RFC 8555 section 7.5.1).</summary>
    ChallengePosted,

    /// <summary>The CA validated a name.</summary>
    AuthorizationValid,

    /// <summary>The order was finalized: the CA has the certificate signing request.</summary>
    Finalized,

    /// <summary>The first certificate was issued and stored. It is served from now on.</summary>
    Obtained,

    /// <summary>A renewed certificate was issued and stored. It is served from now on.</summary>
    Renewed,

    /// <summary>A certificate that another instance obtained is served from now on.</summary>
    Adopted,

    /// <summary>The CA suggested another time for the renewal (RFC 9773).</summary>
    RenewalInfoChanged,

    /// <summary>The certificate that is served was revoked, by this application or by somebody else.</summary>
    Revoked,

    /// <summary>An attempt failed. <see cref="CertificateStatus.Failure"/> has the reason and the time of the next attempt.</summary>
    Failed,

    /// <summary>
    /// The certificate expired long ago and its names no longer point to this application. Nothing is ordered for it any more: see
    /// <see cref="CertificateState.Abandoned"/>.
    /// </summary>
    Abandoned,

    /// <summary>The renewal of the served certificate is late, or the certificate has expired. Repeated once a day.</summary>
    Expiring,
}
