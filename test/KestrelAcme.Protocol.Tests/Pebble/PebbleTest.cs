using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Pebble;

/// <summary>A test against a real Pebble, with real time.</summary>
public abstract class PebbleTest
{
    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected static AcmeClient CreateClient(PebbleServer pebble)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(pebble.TrustedRootsPem);
        return new AcmeClient(pebble.DirectoryUrl, new AcmeClientOptions { TrustedRoots = roots });
    }

    private protected static Task<AcmeAccount> RegisterAsync(AcmeClient client, AccountKey key, ExternalAccountBinding? binding = null) =>
        client.CreateAccountAsync(
            key,
            new NewAccountRequest { Contacts = ["test@example.com"], TermsOfServiceAgreed = true, ExternalAccountBinding = binding },
            Cancellation);

    /// <summary>The whole way to an order that is valid.</summary>
    private protected static async Task<Order> ObtainAsync(PebbleServer pebble, AcmeAccount account, AsymmetricAlgorithm key, params string[] names)
    {
        var identifiers = names.Select(AcmeIdentifier.Parse).ToArray();
        var order = await account.CreateOrderAsync(new NewOrderRequest { Identifiers = identifiers }, Cancellation);
        await using var responder = new ChallengeResponder(pebble.HttpPort);
        await Task.WhenAll(order.AuthorizationUrls.Select(url => ProveAsync(account, responder, url)));
        order = await account.WaitForOrderAsync(order.Url, status => status == OrderStatus.Ready, null, Cancellation);
        await account.FinalizeOrderAsync(order, CertificateRequestBuilder.Build(identifiers, key), Cancellation);
        order = await account.WaitForOrderAsync(order.Url, status => status == OrderStatus.Valid, null, Cancellation);
        Assert.True(order.Status == OrderStatus.Valid, $"The order is {order.Status}: {order.Error}");
        return order;
    }

    private static async Task ProveAsync(AcmeAccount account, ChallengeResponder responder, Uri url)
    {
        var authorization = await account.GetAuthorizationAsync(url, Cancellation);
        if (authorization.Status == AuthorizationStatus.Valid)
        {
            return;
        }

        var challenge = authorization.FindChallenge(AcmeChallengeTypes.Http01)!;
        responder.Add(challenge.Token!, account.Key.KeyAuthorization(challenge.Token!));
        await account.AcceptChallengeAsync(challenge.Url, Cancellation);
        authorization = await account.WaitForAuthorizationAsync(url, null, Cancellation);
        Assert.True(authorization.Status == AuthorizationStatus.Valid, $"{authorization.Identifier} is {authorization.Status}");
    }
}
