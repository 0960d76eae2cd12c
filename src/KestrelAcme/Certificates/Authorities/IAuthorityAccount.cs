using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Orders;

namespace KestrelAcme.Certificates.Authorities;

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
