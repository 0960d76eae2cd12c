using KestrelAcme.Protocol;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Orders;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>An account at a CA that is reached over ACME.</summary>
internal sealed class AcmeAuthorityAccount(AcmeAccount account, AcmePollingOptions polling) : IAuthorityAccount
{
    public Uri Url => account.Url;

    public AccountKey Key => account.Key;

    public Task<AccountDetails> ReadAsync(CancellationToken cancellationToken) => account.GetAsync(cancellationToken);

    public AccountStatus Status => account.Status;

    public async Task<IAuthorityAccount> RolloverKeyAsync(AccountKey newKey, CancellationToken cancellationToken)
        => new AcmeAuthorityAccount(await account.RolloverKeyAsync(newKey, cancellationToken), polling);

    public Task<Order> CreateOrderAsync(NewOrderRequest request, CancellationToken cancellationToken)
        => account.CreateOrderAsync(request, cancellationToken);

    public Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken)
        => account.GetOrderAsync(orderUrl, cancellationToken);

    public Task<Order> WaitForOrderAsync(Uri orderUrl, Func<OrderStatus, bool> done, CancellationToken cancellationToken)
        => account.WaitForOrderAsync(orderUrl, done, polling, cancellationToken);

    public Task<Authorization> GetAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken)
        => account.GetAuthorizationAsync(authorizationUrl, cancellationToken);

    public Task<Authorization> WaitForAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken)
        => account.WaitForAuthorizationAsync(authorizationUrl, polling, cancellationToken);

    public Task<Challenge> AcceptChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken)
        => account.AcceptChallengeAsync(challengeUrl, cancellationToken);

    public Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> certificateRequest, CancellationToken cancellationToken)
        => account.FinalizeOrderAsync(order, certificateRequest, cancellationToken);

    public async Task<IReadOnlyList<CertificateChain>> DownloadChainsAsync(
        Uri certificateUrl, bool withAlternates, CancellationToken cancellationToken)
        => withAlternates
            ? await account.DownloadAllChainsAsync(certificateUrl, cancellationToken)
            : [await account.DownloadCertificateAsync(certificateUrl, cancellationToken)];

    public Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, RevocationReason? reason, CancellationToken cancellationToken)
        => account.RevokeCertificateAsync(certificate, reason, cancellationToken);
}
