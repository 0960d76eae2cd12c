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

namespace KestrelAcme.Protocol.Tests.Servers;

/// <summary>A test against a real server, with real time.</summary>
public abstract class ServerTest
{
    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    internal static AcmeClient CreateClient(PebbleServer pebble) => CreateClient(pebble.DirectoryUrl, pebble.TrustedRootsPem);

    private protected static AcmeClient CreateClient(Uri directoryUrl, string trustedRootsPem)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(trustedRootsPem);
        return new AcmeClient(directoryUrl, new AcmeClientOptions { TrustedRoots = roots });
    }

    internal static Task<AcmeAccount> RegisterAsync(AcmeClient client, AccountKey key, ExternalAccountBinding? binding = null) =>
        client.CreateAccountAsync(
            key,
            new NewAccountRequest { Contacts = ["test@example.com"], TermsOfServiceAgreed = true, ExternalAccountBinding = binding },
            Cancellation);

    /// <summary>Performs all steps to a valid order.</summary>
    internal static async Task<Order> ObtainAsync(int httpPort, AcmeAccount account, AsymmetricAlgorithm key, params string[] names)
    {
        var identifiers = names.Select(AcmeIdentifier.Parse).ToArray();
        var order = await account.CreateOrderAsync(new NewOrderRequest { Identifiers = identifiers }, Cancellation);
        await using var responder = new ChallengeResponder(httpPort);
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
