using System.Security.Cryptography;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.RenewalInformation;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>A CA as the order flow sees it: an ACME client, or a model of a CA in simulations.</summary>
internal interface IAuthorityClient : IDisposable
{
    AuthoritySpecification Specification { get; }

    /// <summary>How far this machine's clock is ahead of the CA's, by its last response; <see langword="null"/> before the first.</summary>
    TimeSpan? ClockSkew { get; }

    Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken);

    /// <summary>Reads the directory again, even if the cached one is fresh.</summary>
    Task<AcmeDirectory> RefreshDirectoryAsync(CancellationToken cancellationToken) => GetDirectoryAsync(cancellationToken);

    /// <summary>Reports the result of an order. As long as orders fail in a row, requests are sent slowly.</summary>
    void Report(bool succeeded)
    {
    }

    /// <summary>Sets whether another CA can take over. Then a request without a response is not repeated for minutes.</summary>
    void GiveUpSoon(bool soon)
    {
    }

    /// <summary>Makes each request only once from now on.</summary>
    void GiveUpAtOnce()
    {
    }

    Task<IAuthorityAccount> CreateAccountAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken);

    /// <summary>Finds the account of a key without creating one.</summary>
    Task<IAuthorityAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken);

    IAuthorityAccount OpenAccount(AccountKey key, Uri accountUrl);

    Task<RenewalInfo> GetRenewalInfoAsync(RenewalCertificateId id, CancellationToken cancellationToken);

    /// <summary>Revokes a certificate with its own key, in case the account that ordered it is gone.</summary>
    Task RevokeCertificateAsync(
        ReadOnlyMemory<byte> certificate, AsymmetricAlgorithm certificateKey, RevocationReason? reason,
        CancellationToken cancellationToken);
}

/// <summary>Creates clients of CAs. Simulations replace it with a model.</summary>
internal interface IAuthorityClientFactory
{
    IAuthorityClient Create(AuthoritySpecification specification);
}

/// <summary>An account at a CA, with which orders are placed.</summary>
internal interface IAuthorityAccount
{
    Uri Url { get; }

    AccountKey Key { get; }

    /// <summary>Reads the account object of the CA with a signed request to the account URL.</summary>
    Task<AccountDetails> ReadAsync(CancellationToken cancellationToken);

    /// <summary>The status that the CA returned when the account was found by its key, if it did.</summary>
    AccountStatus Status => AccountStatus.Unknown;

    /// <summary>Replaces the key of the account (RFC 8555 section 7.3.5).</summary>
    Task<IAuthorityAccount> RolloverKeyAsync(AccountKey newKey, CancellationToken cancellationToken);

    Task<Order> CreateOrderAsync(NewOrderRequest request, CancellationToken cancellationToken);

    Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken);

    /// <summary>
    /// Polls until the order has left the statuses that end without the client: "pending" with valid authorizations, and "processing".
    /// </summary>
    Task<Order> WaitForOrderAsync(Uri orderUrl, Func<OrderStatus, bool> done, CancellationToken cancellationToken);

    Task<Authorization> GetAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken);

    Task<Authorization> WaitForAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken);

    Task<Challenge> AcceptChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken);

    Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> certificateRequest, CancellationToken cancellationToken);

    /// <summary>Downloads the default chain and, if requested, the alternate ones. Returns at least one, the default first.</summary>
    Task<IReadOnlyList<CertificateChain>> DownloadChainsAsync(Uri certificateUrl, bool withAlternates, CancellationToken cancellationToken);

    Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, RevocationReason? reason, CancellationToken cancellationToken);
}
