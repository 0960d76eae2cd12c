using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Orders;

namespace KestrelAcme.Tests.Certificates.Orders;

/// <summary>An account that has a URL and does nothing.</summary>
internal sealed class NamedAccount(Uri url) : IAuthorityAccount
{
    public Uri Url => url;

    public AccountKey Key { get; } = AccountKey.Generate();

    public Task<IAuthorityAccount> RolloverKeyAsync(AccountKey newKey, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<Order> CreateOrderAsync(NewOrderRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Order> WaitForOrderAsync(Uri orderUrl, Func<OrderStatus, bool> done, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<Authorization> GetAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<Authorization> WaitForAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<Challenge> AcceptChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> certificateRequest, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<IReadOnlyList<CertificateChain>> DownloadChainsAsync(
        Uri certificateUrl, bool withAlternates, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<AccountDetails> ReadAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, RevocationReason? reason, CancellationToken cancellationToken)
        => throw new NotSupportedException();
}
