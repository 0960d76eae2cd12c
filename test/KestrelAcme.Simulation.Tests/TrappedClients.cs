using System.Net.Http.Json;
using System.Security.Cryptography;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.RenewalInformation;
using KestrelAcme.Simulation.Tests.OverHttp;

namespace KestrelAcme.Simulation.Tests;

/// <summary>
/// Makes clients of which the first authority's hang: once the trap is set, real ACME clients ask a server that takes requests and
/// answers none, so that how long that takes is up to them.
/// </summary>
internal sealed class TrappedClients(IAuthorityClientFactory factory, Trap trap, TimeProvider time) : IAuthorityClientFactory
{
    public IAuthorityClient Create(AuthoritySpecification specification)
    {
        var client = factory.Create(specification);
        if (trap.AuthorityHangs is null or Unanswered.Nothing || specification.DirectoryUrl != SimulatedAuthority.DirectoryUrl)
        {
            return client;
        }

        var silent = new HttpClients(new SilentServer(trap), time, () => 0.5).Create(specification);
        return new Client(client, silent, trap);
    }

    private sealed class SilentServer(Trap trap) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (trap.AuthorityHangs == Unanswered.Everything || request.Method == HttpMethod.Post)
            {
                trap.Fall();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }

            var response = new HttpResponseMessage();
            response.Headers.Add("Replay-Nonce", Guid.NewGuid().ToString("N"));
            response.Content = JsonContent.Create(new { newNonce = "/new-nonce", newAccount = "/new-account", newOrder = "/new-order" });
            return response;
        }
    }

    private sealed class Client(IAuthorityClient model, IAuthorityClient silent, Trap trap) : IAuthorityClient
    {
        public AuthoritySpecification Specification => model.Specification;

        public TimeSpan? ClockSkew => model.ClockSkew;

        public void GiveUpSoon(bool soon) => silent.GiveUpSoon(soon);

        public Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken)
            => trap is { IsSet: true, AuthorityHangs: Unanswered.Everything }
                ? silent.GetDirectoryAsync(cancellationToken)
                : model.GetDirectoryAsync(cancellationToken);

        public Task<IAuthorityAccount> CreateAccountAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken)
            => model.CreateAccountAsync(key, request, cancellationToken);

        public Task<IAuthorityAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken)
            => model.FindAccountAsync(key, cancellationToken);

        public IAuthorityAccount OpenAccount(AccountKey key, Uri accountUrl)
            => trap.IsSet
                ? new Account(model.OpenAccount(key, accountUrl), silent.OpenAccount(key, accountUrl))
                : model.OpenAccount(key, accountUrl);

        public Task<RenewalInfo> GetRenewalInfoAsync(RenewalCertificateId id, CancellationToken cancellationToken)
            => model.GetRenewalInfoAsync(id, cancellationToken);

        public Task RevokeCertificateAsync(
            ReadOnlyMemory<byte> certificate,
            AsymmetricAlgorithm certificateKey,
            RevocationReason? reason,
            CancellationToken cancellationToken)
            => model.RevokeCertificateAsync(certificate, certificateKey, reason, cancellationToken);

        public void Dispose() => model.Dispose();
    }

    /// <summary>Places orders with the silent server. Nothing else is asked of it.</summary>
    private sealed class Account(IAuthorityAccount model, IAuthorityAccount silent) : IAuthorityAccount
    {
        public Uri Url => model.Url;

        public AccountKey Key => model.Key;

        public Task<AccountDetails> ReadAsync(CancellationToken cancellationToken) => model.ReadAsync(cancellationToken);

        public Task<IAuthorityAccount> RolloverKeyAsync(AccountKey newKey, CancellationToken cancellationToken)
            => model.RolloverKeyAsync(newKey, cancellationToken);

        public Task<Order> CreateOrderAsync(NewOrderRequest request, CancellationToken cancellationToken)
            => silent.CreateOrderAsync(request, cancellationToken);

        public Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken)
            => model.GetOrderAsync(orderUrl, cancellationToken);

        public Task<Order> WaitForOrderAsync(Uri orderUrl, Func<OrderStatus, bool> done, CancellationToken cancellationToken)
            => model.WaitForOrderAsync(orderUrl, done, cancellationToken);

        public Task<Authorization> GetAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken)
            => model.GetAuthorizationAsync(authorizationUrl, cancellationToken);

        public Task<Authorization> WaitForAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken)
            => model.WaitForAuthorizationAsync(authorizationUrl, cancellationToken);

        public Task<Challenge> AcceptChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken)
            => model.AcceptChallengeAsync(challengeUrl, cancellationToken);

        public Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> certificateRequest, CancellationToken cancellationToken)
            => model.FinalizeOrderAsync(order, certificateRequest, cancellationToken);

        public Task<IReadOnlyList<CertificateChain>> DownloadChainsAsync(
            Uri certificateUrl, bool withAlternates, CancellationToken cancellationToken)
            => model.DownloadChainsAsync(certificateUrl, withAlternates, cancellationToken);

        public Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, RevocationReason? reason, CancellationToken cancellationToken)
            => model.RevokeCertificateAsync(certificate, reason, cancellationToken);
    }
}
