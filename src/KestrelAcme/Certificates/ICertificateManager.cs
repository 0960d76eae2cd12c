using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates;

/// <summary>
/// Lists the managed certificates, and obtains, renews and revokes them at run time. Get it from dependency injection. It is safe for
/// concurrent use.
/// </summary>
/// <example>
/// <code>
/// app.MapPost("/certificates/{name}", async (string name, ICertificateManager certificates, CancellationToken cancellationToken) =&gt;
/// {
///     var status = await certificates.ObtainAsync(name, cancellationToken);
///     return $"{status.Id} has a certificate that is valid until {status.NotAfter:u}.";
/// });
/// </code>
/// </example>
public interface ICertificateManager
{
    /// <summary>Lists all managed certificates, in no particular order.</summary>
    IReadOnlyList<CertificateStatus> List();

    /// <summary>Finds the certificate that has an ID, or that lists a name. A wildcard matches only itself.</summary>
    /// <param name="idOrDomainName">The <see cref="CertificateStatus.Id"/>, or one of the names.</param>
    /// <returns>The status; <see langword="null"/> if no managed certificate has this ID or name.</returns>
    CertificateStatus? Find(string idOrDomainName);

    /// <summary>
    /// Obtains a certificate for a name, and waits for it. If the name is not managed yet, it is added as <see cref="AddDomainsAsync"/>
    /// does. If a certificate is served already and is not <see cref="CertificateState.Abandoned"/>, the method returns its status without
    /// an order.
    /// </summary>
    /// <param name="domainName">The DNS name, in Unicode or as A-labels, or the IP address.</param>
    /// <param name="cancellationToken">Cancels waiting. The order goes on.</param>
    /// <returns>The status of the certificate.</returns>
    /// <exception cref="ArgumentException">The name cannot get a certificate here. The message has the reason and the fix.</exception>
    /// <exception cref="InvalidOperationException">This instance does not order certificates. The message has the reason.</exception>
    /// <exception cref="CertificateException">The order failed. The message has the reason, and KestrelAcme tries again later.</exception>
    Task<CertificateStatus> ObtainAsync(string domainName, CancellationToken cancellationToken = default);

    /// <summary>
    /// Adds names, each of which gets a certificate of its own. The names are stored, and all instances that use the store share them. The
    /// method does not wait for the certificates.
    /// </summary>
    /// <param name="domainNames">The DNS names, in Unicode or as A-labels, or IP addresses.</param>
    /// <param name="cancellationToken">Cancels the operation. Some of the names may have been added.</param>
    /// <exception cref="ArgumentException">One of the names cannot get a certificate here. None was added.</exception>
    /// <exception cref="KestrelAcme.Storage.StorageUnavailableException">The names could not be stored.</exception>
    Task AddDomainsAsync(IReadOnlyCollection<string> domainNames, CancellationToken cancellationToken = default);

    /// <summary>
    /// Removes names that <see cref="AddDomainsAsync"/> added. Their certificates are no longer renewed, but they are served until they
    /// expire or the process ends.
    /// </summary>
    /// <param name="domainNames">The names.</param>
    /// <param name="cancellationToken">Cancels the operation. Some of the names may have been removed.</param>
    /// <returns>How many of the names were removed. Names that had not been added do not count.</returns>
    /// <exception cref="KestrelAcme.Storage.StorageUnavailableException">The names could not be removed.</exception>
    Task<int> RemoveDomainsAsync(IReadOnlyCollection<string> domainNames, CancellationToken cancellationToken = default);

    /// <summary>
    /// Forgets a name whose certificate was issued on demand (<see cref="IIssuancePermission"/>): it is no longer served or renewed, and
    /// its certificate and key are deleted from the store, for all instances. An order in progress is waited for. If a client asks for the
    /// name again, the permission decides anew. The certificate is not revoked. What counts against the limits of the CAs is kept for two
    /// weeks, and holds if the name comes back.
    /// </summary>
    /// <param name="domainName">The DNS name, in Unicode or as A-labels, or the IP address.</param>
    /// <param name="cancellationToken">Cancels the operation. Some of the files may have been deleted.</param>
    /// <returns><see langword="false"/> if the name is not one on demand.</returns>
    /// <exception cref="KestrelAcme.Storage.StorageUnavailableException">The store could not be written.</exception>
    Task<bool> ForgetAsync(string domainName, CancellationToken cancellationToken = default);

    /// <summary>
    /// Renews a certificate now, whatever was planned, and waits for the result. The current certificate is served until the new one is
    /// there. If the host stops before that, the renewal is made at the next start, unless the exception says that it could not be stored.
    /// </summary>
    /// <param name="idOrDomainName">
    /// The <see cref="CertificateStatus.Id"/>, or one of the names. A name renews all certificates that are served for it side by side, one
    /// for each of the <c>KeyAlgorithms</c>.
    /// </param>
    /// <param name="cancellationToken">Cancels waiting. The order goes on.</param>
    /// <returns>The status after the renewal; that of the first certificate, if there are several.</returns>
    /// <exception cref="KeyNotFoundException">No managed certificate has this ID or name.</exception>
    /// <exception cref="InvalidOperationException">
    /// This instance does not order certificates, or the host stops. The message has the reason.
    /// </exception>
    /// <exception cref="CertificateException">The order failed. The message has the reason, and KestrelAcme tries again later.</exception>
    Task<CertificateStatus> RenewAsync(string idOrDomainName, CancellationToken cancellationToken = default);

    /// <summary>
    /// Renews all certificates that are served, or some of them, such as after a CA has announced a mass revocation. The renewals are
    /// stored and made as fast as <c>MaxConcurrentOrders</c> and the limits of the CA allow, by this process or by the next one; the
    /// method does not wait for them. A renewal that fails is tried again later, like any other.
    /// </summary>
    /// <param name="filter">
    /// Selects the certificates, such as by <see cref="CertificateStatus.DirectoryUrl"/>, <see cref="CertificateStatus.Issuer"/> or
    /// <see cref="CertificateStatus.NotBefore"/>; <see langword="null"/> for all.
    /// </param>
    /// <param name="cancellationToken">Cancels the operation. Some of the certificates may be renewed anyway.</param>
    /// <returns>The number of certificates that are renewed.</returns>
    /// <exception cref="InvalidOperationException">
    /// This instance does not order certificates, or the host stops. The message has the reason.
    /// </exception>
    /// <exception cref="KestrelAcme.Storage.StorageUnavailableException">
    /// The store could not be asked. Some of the renewals may be made by this process, and none by the next one.
    /// </exception>
    Task<int> RenewAllAsync(Func<CertificateStatus, bool>? filter = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Revokes the certificate that is served (RFC 8555 section 7.6). If the reason is <see cref="RevocationReason.KeyCompromise"/>,
    /// KestrelAcme orders a certificate with a new key at once, and sets the old one aside. With any other reason, the revoked certificate
    /// is served until its renewal is due or its names are removed.
    /// </summary>
    /// <param name="idOrDomainName">
    /// The <see cref="CertificateStatus.Id"/>, or one of the names. A name revokes all certificates that are served for it side by side,
    /// one for each of the <c>KeyAlgorithms</c>.
    /// </param>
    /// <param name="reason">The reason that is sent to the CA (RFC 5280 section 5.3.1).</param>
    /// <param name="cancellationToken">Cancels the operation. The CA may have revoked the certificate anyway.</param>
    /// <returns>The status after the revocation; that of the first certificate, if there are several.</returns>
    /// <exception cref="KeyNotFoundException">No managed certificate has this ID or name.</exception>
    /// <exception cref="InvalidOperationException">There is no certificate to revoke, or its CA is no longer configured.</exception>
    /// <exception cref="KestrelAcme.Protocol.Problems.AcmeException">The CA refused, or could not be reached.</exception>
    Task<CertificateStatus> RevokeAsync(string idOrDomainName, RevocationReason reason, CancellationToken cancellationToken = default);

    /// <summary>
    /// Replaces the key of the account at every configured CA (RFC 8555 section 7.3.5). If the process ends in the middle, neither key is
    /// lost.
    /// </summary>
    /// <param name="cancellationToken">Cancels the operation. Some accounts may have the new key.</param>
    /// <exception cref="InvalidOperationException">A CA refuses the account. The message has the reason and the fix.</exception>
    /// <exception cref="KestrelAcme.Protocol.Problems.AcmeException">
    /// A CA refused, or could not be reached. The accounts at the CAs before it have the new key.
    /// </exception>
    /// <exception cref="KestrelAcme.Storage.StorageUnavailableException">The new key could not be stored. It is not used.</exception>
    Task RolloverAccountKeyAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Lists the accounts at the configured CAs that are in the store, with their URLs, which CAA records (<c>accounturi</c>, RFC 8657) and
    /// <c>dns-persist-01</c> records need. An account is registered before the first order.
    /// </summary>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="KestrelAcme.Storage.StorageUnavailableException">The store could not be read.</exception>
    Task<IReadOnlyList<RegisteredAccount>> ListAccountsAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Examines the options, the store, the clock, the CAs, the endpoints and the names, and reports what is wrong and how to fix it. The
    /// CA gets one request for its directory, and nothing is ordered. A check takes up to 10 seconds, and at most 100 names are examined.
    /// </summary>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The findings. Problems are reported there, never as exceptions.</returns>
    Task<DiagnosisReport> DiagnoseAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns the events of all certificates as they happen, until canceled. A reader that is more than 1,000 events behind loses the
    /// oldest ones.
    /// </summary>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    IAsyncEnumerable<CertificateEvent> WatchAsync(CancellationToken cancellationToken = default);
}

/// <summary>An account at a CA.</summary>
/// <param name="DirectoryUrl">The directory URL of the CA.</param>
/// <param name="AccountUrl">The URL of the account.</param>
/// <param name="Thumbprint">The thumbprint of its key (RFC 7638), base64url. It is no secret.</param>
public sealed record RegisteredAccount(Uri DirectoryUrl, Uri AccountUrl, string Thumbprint);
