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
