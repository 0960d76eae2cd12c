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

    public AccountKey Key => throw new NotSupportedException();

    public Task<IAuthorityAccount> RolloverKeyAsync(AccountKey newKey, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Order> CreateOrderAsync(NewOrderRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Order> WaitForOrderAsync(Uri orderUrl, Func<OrderStatus, bool> done, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Authorization> GetAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Authorization> WaitForAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Challenge> AcceptChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> certificateRequest, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<CertificateChain> DownloadCertificateAsync(Uri certificateUrl, string? preferredChain, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, RevocationReason? reason, CancellationToken cancellationToken) => throw new NotSupportedException();
}
