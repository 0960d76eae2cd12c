using System.Globalization;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Simulation.Tests;

/// <summary>An account at the model. Validation and issuance take simulated seconds, so that processes die in between.</summary>
internal sealed class SimulatedAuthorityAccount(
    Uri url, AccountKey key, SimulatedAuthority authority, SimulatedAuthorityClient client) : IAuthorityAccount
{
    public Uri Url => url;

    public AccountKey Key => key;

    public Task<IAuthorityAccount> RolloverKeyAsync(AccountKey newKey, CancellationToken cancellationToken)
        => throw new NotSupportedException("No key is changed in simulations.");

    public Task<Order> CreateOrderAsync(NewOrderRequest request, CancellationToken cancellationToken)
    {
        client.Answer(newOrder: true);
        return Task.FromResult(Show(authority.Place(request)));
    }

    public Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken)
    {
        client.Answer();
        return Task.FromResult(Show(Find(orderUrl)));
    }

    public Task<Order> WaitForOrderAsync(Uri orderUrl, Func<OrderStatus, bool> done, CancellationToken cancellationToken)
        => GetOrderAsync(orderUrl, cancellationToken);

    public Task<Authorization> GetAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken)
    {
        client.Answer();
        var order = Find(authorizationUrl);
        var challenge = new Challenge
        {
            Url = Link("challenge", order),
            Type = "http-01",
            Token = order.Token,
            Status = order.Posted ? ChallengeStatus.Processing : ChallengeStatus.Pending,
            Error = order.Status == OrderStatus.Invalid
                ? new AcmeProblem { Type = AcmeProblemTypes.Unauthorized, Detail = "Nothing answered." }
                : null,
        };
        return Task.FromResult(new Authorization
        {
            Url = authorizationUrl,
            Identifier = order.Request.Identifiers[0],
            Status = order.Status switch
            {
                OrderStatus.Pending => AuthorizationStatus.Pending,
                OrderStatus.Invalid => AuthorizationStatus.Invalid,
                _ => AuthorizationStatus.Valid,
            },
            Challenges = [challenge],
        });
    }

    public async Task<Authorization> WaitForAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken)
    {
        await Task.Delay(authority.Pause(3), authority.Clock.Machine, cancellationToken);
        var order = Find(authorizationUrl);
        authority.Validate(order, key.KeyAuthorization(order.Token));
        return await GetAuthorizationAsync(authorizationUrl, cancellationToken);
    }

    public async Task<Challenge> AcceptChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken)
    {
        client.Answer();
        Find(challengeUrl).Posted = true;
        return (await GetAuthorizationAsync(challengeUrl, cancellationToken)).Challenges[0];
    }

    public async Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> certificateRequest, CancellationToken cancellationToken)
    {
        client.Answer();
        await Task.Delay(authority.Pause(2), authority.Clock.Machine, cancellationToken);
        client.Answer();
        var simulated = Find(order.Url);
        authority.Issue(simulated, certificateRequest);
        return Show(simulated);
    }

    public Task<IReadOnlyList<CertificateChain>> DownloadChainsAsync(
        Uri certificateUrl, bool withAlternates, CancellationToken cancellationToken)
    {
        client.Answer();
        return Task.FromResult<IReadOnlyList<CertificateChain>>(
            [new CertificateChain { Url = certificateUrl, Certificates = Find(certificateUrl).Chain! }]);
    }

    public Task<AccountDetails> ReadAsync(CancellationToken cancellationToken)
    {
        client.Answer();
        return Task.FromResult(new AccountDetails { Status = AccountStatus.Valid });
    }

    public Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, RevocationReason? reason, CancellationToken cancellationToken)
        => throw new NotSupportedException("The model revokes by itself.");

    private SimulatedOrder Find(Uri resource) => authority.Find(int.Parse(resource.Segments[^1], CultureInfo.InvariantCulture));

    private static Order Show(SimulatedOrder order) => new()
    {
        Url = Link("order", order),
        Status = order.Status,
        Expires = order.Expires,
        Identifiers = order.Request.Identifiers,
        AuthorizationUrls = [Link("authorization", order)],
        FinalizeUrl = Link("finalize", order),
        CertificateUrl = order.Status == OrderStatus.Valid ? Link("certificate", order) : null,
    };

    private static Uri Link(string kind, SimulatedOrder order) => new(SimulatedAuthority.DirectoryUrl, $"/{kind}/{order.Number}");
}
