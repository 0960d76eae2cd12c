using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates;

/// <summary>The managed certificates, as the application sees them. Safe for concurrent use.</summary>
public interface ICertificateManager
{
    /// <summary>All managed certificates, in no particular order.</summary>
    IReadOnlyList<CertificateStatus> List();

    /// <summary>The certificate that has an id or covers a name exactly; <see langword="null"/> when none does.</summary>
    CertificateStatus? Find(string idOrDomainName);

    /// <summary>Has a certificate for a name, adding the name when it is not managed yet, and waits until there is one. At once, where one is served already that is not <see cref="CertificateState.Abandoned"/>.</summary>
    /// <param name="domainName">The name or IP address; a name in Unicode is converted.</param>
    /// <param name="cancellationToken">Ends the wait, not the order.</param>
    /// <exception cref="ArgumentException">The name cannot get a certificate here; the message says why and what to do.</exception>
    /// <exception cref="InvalidOperationException">This instance does not order; the message says why.</exception>
    /// <exception cref="CertificateException">The order failed; the message says why, and it is tried again by itself.</exception>
    Task<CertificateStatus> ObtainAsync(string domainName, CancellationToken cancellationToken = default);

    /// <summary>Adds names to those that have certificates. They are stored, and shared with all instances that use the store.</summary>
    /// <exception cref="ArgumentException">One of the names cannot get a certificate here; none was added.</exception>
    /// <exception cref="KestrelAcme.Storage.StorageUnavailableException">The names could not be stored.</exception>
    Task AddDomainsAsync(IReadOnlyCollection<string> domainNames, CancellationToken cancellationToken = default);

    /// <summary>Removes names that were added by <see cref="AddDomainsAsync"/>. Their certificates are no longer renewed; what is served stays until it ends or the process does.</summary>
    /// <returns>How many of the names were there.</returns>
    /// <exception cref="KestrelAcme.Storage.StorageUnavailableException">The names could not be removed.</exception>
    Task<int> RemoveDomainsAsync(IReadOnlyCollection<string> domainNames, CancellationToken cancellationToken = default);

    /// <summary>Orders a successor now, whatever the plan was, and waits for the outcome. What is served stays until the successor is there.</summary>
    /// <param name="idOrDomainName">
    /// The certificate's id, or one of its names. A name stands for all certificates that are served for it side by side, one for each of <c>KeyAlgorithms</c>.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, not the order.</param>
    /// <returns>The certificate's status after the renewal; that of the first, if there are several side by side.</returns>
    /// <exception cref="KeyNotFoundException">No managed certificate has this id or name.</exception>
    /// <exception cref="InvalidOperationException">This instance does not order; the message says why.</exception>
    /// <exception cref="CertificateException">The order failed; the message says why, and it is tried again by itself.</exception>
    Task<CertificateStatus> RenewAsync(string idOrDomainName, CancellationToken cancellationToken = default);

    /// <summary>
    /// Revokes the certificate that is served (RFC 8555 section 7.6). After <see cref="RevocationReason.KeyCompromise"/> a successor with a new key is ordered at once and the old one is set aside;
    /// after any other reason the certificate is served on until its successor's time comes or its names are removed.
    /// </summary>
    /// <param name="idOrDomainName">
    /// The certificate's id, or one of its names. A name stands for all certificates that are served for it side by side, one for each of <c>KeyAlgorithms</c>.
    /// </param>
    /// <param name="reason">The reason that the authority is told.</param>
    /// <param name="cancellationToken">Cancels; the authority may have revoked it all the same.</param>
    /// <returns>The certificate's status after it; that of the first, if there are several side by side.</returns>
    /// <exception cref="KeyNotFoundException">No managed certificate has this id or name.</exception>
    /// <exception cref="InvalidOperationException">There is no certificate to revoke, or its authority is no longer configured.</exception>
    /// <exception cref="KestrelAcme.Protocol.Problems.AcmeException">The authority refused.</exception>
    Task<CertificateStatus> RevokeAsync(string idOrDomainName, RevocationReason reason, CancellationToken cancellationToken = default);

    /// <summary>Puts a new key in the place of the account's at every configured authority (RFC 8555 section 7.3.5). A crash in its middle loses neither key.</summary>
    /// <exception cref="InvalidOperationException">An authority refuses the account itself; the message says why and what to do.</exception>
    /// <exception cref="KestrelAcme.Protocol.Problems.AcmeException">An authority refused, or could not be reached; those before it have the new key.</exception>
    /// <exception cref="KestrelAcme.Storage.StorageUnavailableException">The new key could not be stored; it is not used.</exception>
    Task RolloverAccountKeyAsync(CancellationToken cancellationToken = default);

    /// <summary>What happens from now on, as it happens, until cancelled. A reader that falls more than 1,000 events behind loses the oldest.</summary>
    IAsyncEnumerable<CertificateEvent> WatchAsync(CancellationToken cancellationToken = default);
}
