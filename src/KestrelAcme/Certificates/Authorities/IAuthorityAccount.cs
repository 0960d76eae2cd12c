using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Orders;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>An account at an authority: what orders are placed with.</summary>
internal interface IAuthorityAccount
{
    Uri Url { get; }

    AccountKey Key { get; }

    /// <summary>Reads what the authority has on file for the account: a signed request to the account's own URL.</summary>
    Task<AccountDetails> ReadAsync(CancellationToken cancellationToken);

    /// <summary>The status that the authority gave when it was found by its key, if it gave one.</summary>
    AccountStatus Status => AccountStatus.Unknown;

    /// <summary>Puts another key in the place of the account's (RFC 8555 section 7.3.5).</summary>
    Task<IAuthorityAccount> RolloverKeyAsync(AccountKey newKey, CancellationToken cancellationToken);

    Task<Order> CreateOrderAsync(NewOrderRequest request, CancellationToken cancellationToken);

    Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken);

    /// <summary>Polls until the order has left the statuses that pass by themselves: pending with valid authorizations, processing.</summary>
    Task<Order> WaitForOrderAsync(Uri orderUrl, Func<OrderStatus, bool> done, CancellationToken cancellationToken);

    Task<Authorization> GetAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken);

    Task<Authorization> WaitForAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken);

    Task<Challenge> AcceptChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken);

    Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> certificateRequest, CancellationToken cancellationToken);

    /// <summary>Downloads the default chain, and the others on offer if they are asked for: at least one, the default one first.</summary>
    Task<IReadOnlyList<CertificateChain>> DownloadChainsAsync(Uri certificateUrl, bool withAlternates, CancellationToken cancellationToken);

    Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, RevocationReason? reason, CancellationToken cancellationToken);
}
