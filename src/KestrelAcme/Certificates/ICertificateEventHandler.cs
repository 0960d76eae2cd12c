namespace KestrelAcme.Certificates;

/// <summary>
/// Told of what matters about certificates: to post a message, to push them elsewhere. A handler that throws changes nothing but the log; one that takes long holds up nobody.
/// </summary>
public interface ICertificateEventHandler
{
    /// <summary>The first certificate for some names is served.</summary>
    Task OnObtainedAsync(CertificateStatus status, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A successor is served.</summary>
    Task OnRenewedAsync(CertificateStatus status, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>An attempt failed; <see cref="CertificateStatus.Failure"/> says why and when the next is made.</summary>
    Task OnFailedAsync(CertificateStatus status, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A certificate was revoked.</summary>
    Task OnRevokedAsync(CertificateStatus status, CancellationToken cancellationToken) => Task.CompletedTask;
}
