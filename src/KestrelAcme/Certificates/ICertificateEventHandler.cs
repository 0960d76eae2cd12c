namespace KestrelAcme.Certificates;

/// <summary>
/// Handles events of managed certificates, for example to post a message or to copy certificates elsewhere. Each method does nothing by
/// default, so a handler implements only what it needs.
/// </summary>
/// <remarks>
/// Implementations must be safe for concurrent use. An exception is logged (event <c>EventHandlerFailed</c>) and has no other effect. A
/// slow handler does not delay KestrelAcme.
/// </remarks>
/// <example>
/// <code>
/// public sealed class FailureMailer(IMailer mailer) : ICertificateEventHandler
/// {
///     public Task OnFailedAsync(CertificateStatus status, CancellationToken cancellationToken)
///         =&gt; mailer.SendAsync("ops@example.com", $"{status.Id}: {status.Failure?.Message}", cancellationToken);
/// }
///
/// public interface IMailer
/// {
///     Task SendAsync(string to, string text, CancellationToken cancellationToken);
/// }
/// </code>
/// </example>
public interface ICertificateEventHandler
{
    /// <summary>Called after the first certificate for its names was obtained. It is served from now on.</summary>
    /// <param name="status">The status of the certificate.</param>
    /// <param name="cancellationToken">Canceled after one minute.</param>
    Task OnObtainedAsync(CertificateStatus status, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Called after a certificate was renewed. The new one is served from now on.</summary>
    /// <param name="status">The status of the certificate.</param>
    /// <param name="cancellationToken">Canceled after one minute.</param>
    Task OnRenewedAsync(CertificateStatus status, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Called after an attempt failed. <see cref="CertificateStatus.Failure"/> has the reason and the time of the next attempt.
    /// </summary>
    /// <param name="status">The status of the certificate.</param>
    /// <param name="cancellationToken">Canceled after one minute.</param>
    Task OnFailedAsync(CertificateStatus status, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Called after a certificate was revoked, or was found revoked on the CA's revocation list.</summary>
    /// <param name="status">The status of the certificate.</param>
    /// <param name="cancellationToken">Canceled after one minute.</param>
    Task OnRevokedAsync(CertificateStatus status, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Called if the renewal of the served certificate is late, by 5% of its lifetime or more, and once a day until it was renewed or given
    /// up: 4.5 days late for one of 90 days, with about 25 days left. KestrelAcme looks every six hours. If an attempt failed, <see
    /// cref="CertificateStatus.Failure"/> has the reason.
    /// </summary>
    /// <param name="status">The status of the certificate. It may have expired: see <see cref="CertificateStatus.NotAfter"/>.</param>
    /// <param name="cancellationToken">Canceled after one minute.</param>
    Task OnExpiringAsync(CertificateStatus status, CancellationToken cancellationToken) => Task.CompletedTask;
}

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
