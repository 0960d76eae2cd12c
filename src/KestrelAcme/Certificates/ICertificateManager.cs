using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates;

/// <summary>The managed certificates, as the application sees them. Safe for concurrent use.</summary>
public interface ICertificateManager
{
    /// <summary>All managed certificates, in no particular order.</summary>
    IReadOnlyList<CertificateStatus> List();

    /// <summary>The certificate that has an id or covers a name exactly; <see langword="null"/> when none does.</summary>
    CertificateStatus? Find(string idOrDomainName);

    /// <summary>Orders a successor now, whatever the plan was, and waits for the outcome. What is served stays until the successor is there.</summary>
    /// <param name="idOrDomainName">The certificate's id, or one of its names.</param>
    /// <param name="cancellationToken">Ends the wait, not the order.</param>
    /// <returns>The certificate's status after the renewal.</returns>
    /// <exception cref="KeyNotFoundException">No managed certificate has this id or name.</exception>
    /// <exception cref="InvalidOperationException">This instance does not order; the message says why.</exception>
    /// <exception cref="CertificateException">The order failed; the message says why, and it is tried again by itself.</exception>
    Task<CertificateStatus> RenewAsync(string idOrDomainName, CancellationToken cancellationToken = default);

    /// <summary>
    /// Revokes the certificate that is served (RFC 8555 section 7.6). After <see cref="RevocationReason.KeyCompromise"/> a successor with a new key is ordered at once and the old one is set aside;
    /// after any other reason the certificate is served on until its successor's time comes or its names are removed.
    /// </summary>
    /// <param name="idOrDomainName">The certificate's id, or one of its names.</param>
    /// <param name="reason">The reason that the authority is told.</param>
    /// <param name="cancellationToken">Cancels; the authority may have revoked it all the same.</param>
    /// <returns>The certificate's status after it.</returns>
    /// <exception cref="KeyNotFoundException">No managed certificate has this id or name.</exception>
    /// <exception cref="InvalidOperationException">There is no certificate to revoke, or its authority is no longer configured.</exception>
    /// <exception cref="KestrelAcme.Protocol.Problems.AcmeException">The authority refused.</exception>
    Task<CertificateStatus> RevokeAsync(string idOrDomainName, RevocationReason reason, CancellationToken cancellationToken = default);

    /// <summary>What happens from now on, as it happens, until cancelled. A reader that falls more than 1,000 events behind loses the oldest.</summary>
    IAsyncEnumerable<CertificateEvent> WatchAsync(CancellationToken cancellationToken = default);
}
