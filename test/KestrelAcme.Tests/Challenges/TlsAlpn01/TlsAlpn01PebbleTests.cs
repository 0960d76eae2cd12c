using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.TlsAlpn01;
using KestrelAcme.Protocol;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Hosting.Kestrel;
using KestrelAcme.Tests.Storage.Bounded;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Challenges.TlsAlpn01;

/// <summary>Pebble validates over the only open port, for each kind of endpoint.</summary>
public sealed class TlsAlpn01PebbleTests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("plain", "a.example")]
    [InlineData("plain", "127.0.0.1")]
    [InlineData("Sni", "a.example")]
    [InlineData("own certificate", "a.example")]
    [InlineData("HTTP/2 only", "a.example")]
    public async Task Validate_EndpointKind_Valid(string kind, string identifier)
    {
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { TlsPort = FreePort.Tcp() }, Token);
        await using var app = await StartAsync(kind, pebble.TlsPort);
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(pebble.TrustedRootsPem);
        using var client = new AcmeClient(pebble.DirectoryUrl, new AcmeClientOptions { TrustedRoots = roots });
        using var accountKey = AccountKey.Generate();
        var account = await client.CreateAccountAsync(accountKey, new NewAccountRequest { TermsOfServiceAgreed = true }, Token);
        var name = AcmeIdentifier.Parse(identifier);
        var order = await account.CreateOrderAsync(new NewOrderRequest { Identifiers = [name] }, Token);
        var authorization = await account.GetAuthorizationAsync(order.AuthorizationUrls[0], Token);
        var challenge = authorization.FindChallenge("tls-alpn-01")!;
        var handler = new TlsAlpn01ChallengeHandler(
            app.Publisher,
            new SharedTlsAlpn01Responses(
                BoundedFixture.Around(new KestrelAcme.Storage.InMemoryStorage()),
                new FakeThumbprints(),
                TimeProvider.System,
                NullLogger<SharedTlsAlpn01Responses>.Instance),
            TimeProvider.System);
        var context = new ChallengeContext
        {
            ChallengeType = "tls-alpn-01",
            IdentifierType = name.Type,
            Identifier = name.Value,
            Url = challenge.Url,
            Token = challenge.Token,
            KeyAuthorization = account.Key.KeyAuthorization(challenge.Token!),
            AccountUrl = account.Url,
            DirectoryUrl = pebble.DirectoryUrl,
        };

        await handler.PrepareAsync(context, Token);
        await account.AcceptChallengeAsync(challenge.Url, Token);
        authorization = await account.WaitForAuthorizationAsync(authorization.Url, null, Token);
        await handler.CleanUpAsync(context, Token);

        Assert.True(
            authorization.Status == AuthorizationStatus.Valid,
            $"{authorization.Status}: {authorization.Challenges.FirstOrDefault(c => c.Error is not null)?.Error}");
    }

    private static Task<KestrelApp> StartAsync(string kind, int port)
    {
        var configuration = new Dictionary<string, string?>();
        if (kind == "Sni")
        {
            // Kestrel refuses names that the section does not list. The validation handshake must come before that.
            configuration["Kestrel:Endpoints:Web:Sni:other.test:Protocols"] = "Http1AndHttp2";
            configuration["Kestrel:Endpoints:Web:Url"] = $"https://127.0.0.1:{port}";
        }

        var own = Authority.IssueWithKey("own.test");
        return KestrelApp.StartAsync(
            builder =>
            {
                if (kind != "Sni")
                {
                    builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, listen =>
                    {
                        listen.Protocols = kind == "HTTP/2 only" ? HttpProtocols.Http2 : HttpProtocols.Http1AndHttp2;
                        _ = kind == "own certificate" ? listen.UseHttps(own) : listen.UseHttps();
                    }));
                }
            },
            Token, configuration: configuration);
    }
}
