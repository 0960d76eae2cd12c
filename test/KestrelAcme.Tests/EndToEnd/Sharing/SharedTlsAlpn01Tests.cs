using System.Net;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd.Stopping;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Sharing;

/// <summary>Two instances behind a load balancer that passes port 443 only: one orders, the authority reaches the other.</summary>
public sealed class SharedTlsAlpn01Tests
{
    private const string Name = "app.test";
    private const string Prefix = "challenges/tls-alpn-01/";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Order_TheAuthorityReachesAnotherInstance_IsValidated()
    {
        var storage = new InMemoryStorage();
        await using var fixture = await LocalFixture.StartAsync();
        await using var other = await StartAsync(fixture, storage, "ServeOnly");
        fixture.Authority.Resolve(Name, new IPEndPoint(IPAddress.Loopback, FreePort.Tcp()), other.Https);
        await using var app = await StartAsync(fixture, storage, "Automatic");

        await app.ObtainedAsync(Name);

        await Poll.UntilAsync(() => other.Log.Has("ChallengeAnswered"), "the line about the response", cancellationToken: Cancelled);
        Assert.False(app.Log.Has("ChallengeAnswered"));
        Assert.Empty(await ListAsync(storage));
    }

    [Theory]
    [InlineData("tls-alpn-01")]
    [InlineData("http-01")]
    public async Task Order_TheAuthorityReachesAnInstanceThatDoesNotKnowTheName_IsValidated(string type)
    {
        var storage = new InMemoryStorage();
        await using var fixture = await LocalFixture.StartAsync();
        await using var other = await StartAsync(fixture, storage, "ServeOnly", "known.test");
        fixture.Authority.Resolve(Name, other.Http, other.Https);
        await using var app = await StartOfTypeAsync(fixture, storage, "Automatic", type);

        await app.ObtainedAsync(Name);

        Assert.All(fixture.Authority.Validations, validation => Assert.Null(validation.Problem));
        Assert.True(other.Log.Has(type == "http-01" ? "TokenAnswered" : "ChallengeAnswered"));
        Assert.Null(other.Certificates.Find(Name));
    }

    [Fact]
    public async Task Connect_ForAnyName_AsksTheStoreForNothing()
    {
        WatchedStorage? storage = null;
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, storage = new WatchedStorage(new InMemoryStorage()), "ServeOnly");

        await Assert.ThrowsAnyAsync<Exception>(() => ValidateAsync(app, "foreign.test"));
        Assert.DoesNotContain(storage.Reads, IsAnswer);
        await Assert.ThrowsAnyAsync<Exception>(() => ValidateAsync(app, Name));
        Assert.DoesNotContain(storage.Reads, IsAnswer);
    }

    [Fact]
    public async Task Order_WhileStrangersAskAllTheTime_IsValidatedAtTheFirstTry()
    {
        string[] names = [.. Enumerable.Range(0, 8).Select(i => $"n{i}.test")];
        var storage = new InMemoryStorage();
        await using var fixture = await LocalFixture.StartAsync();
        await using var other = await StartAsync(fixture, new SlowStorage(storage, TimeSpan.FromMilliseconds(10)), "ServeOnly", names);
        Array.ForEach(names, name => fixture.Authority.Resolve(name, new IPEndPoint(IPAddress.Loopback, FreePort.Tcp()), other.Https));
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var strangers = Enumerable.Range(0, 32).Select(i => AskAsync(other.Https, names, i, over.Token)).ToList();

        await using var app = await StartAsync(fixture, storage, "Automatic", names);
        foreach (var name in names)
        {
            await app.ObtainedAsync(name);
        }

        await over.CancelAsync();
        Assert.All(await Task.WhenAll(strangers), asked => Assert.True(asked > 0));
        Assert.False(app.Log.Has("CertificateFailed"), app.Log.ToString());
    }

    [Theory]
    [InlineData("1.2.0.192.in-addr.arpa")]
    [InlineData("001.0.0.127.in-addr.arpa")]
    [InlineData("0.0.127.in-addr.arpa")]
    [InlineData("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")]
    [InlineData("x.arpa")]
    public async Task Connect_ForAnyAddress_AsksTheStoreForNothing(string name)
    {
        WatchedStorage? storage = null;
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(
            fixture, storage = new WatchedStorage(new InMemoryStorage()), "ServeOnly", ["127.0.0.1", "2001:db8::2"]);

        await Assert.ThrowsAnyAsync<Exception>(() => ValidateAsync(app, name));
        Assert.DoesNotContain(storage.Reads, IsAnswer);
        await Assert.ThrowsAnyAsync<Exception>(() => ValidateAsync(app, "1.0.0.127.in-addr.arpa"));
        await Assert.ThrowsAnyAsync<Exception>(
            () => ValidateAsync(app, "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"));
        Assert.DoesNotContain(storage.Reads, IsAnswer);
    }

    // One connection after the other, for names that are being validated, that are not, and that nobody knows.
    private static async Task<int> AskAsync(IPEndPoint endpoint, string[] names, int stranger, CancellationToken cancellationToken)
    {
        for (var asked = 0; ; asked++)
        {
            try
            {
                var name = asked % 8 == 7 ? $"{asked % 250}.{stranger}.0.10.in-addr.arpa" : names[(stranger + asked) % names.Length];
                await ValidateAsync(endpoint, name, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return asked;
            }
            catch (Exception exception) when (exception
                is IOException or System.Security.Authentication.AuthenticationException or System.Net.Sockets.SocketException)
            {
                // Refused.
            }
        }
    }

    private static bool IsAnswer(string key) => key.StartsWith(Prefix, StringComparison.Ordinal);

    private static Task ValidateAsync(AcmeApp app, string name) => ValidateAsync(app.Https, name, Cancelled);

    private static async Task ValidateAsync(IPEndPoint endpoint, string name, CancellationToken cancellationToken)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(endpoint, cancellationToken);
        await using var stream = new System.Net.Security.SslStream(
            client.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate is not null);
        await stream.AuthenticateAsClientAsync(
            new System.Net.Security.SslClientAuthenticationOptions { TargetHost = name, ApplicationProtocols = [new("acme-tls/1")] },
            cancellationToken);
    }

    private static async Task<List<string>> ListAsync(InMemoryStorage storage)
    {
        var keys = new List<string>();
        await foreach (var key in storage.ListAsync(Prefix, Cancelled))
        {
            keys.Add(key);
        }

        return keys;
    }

    private static Task<AcmeApp> StartAsync(LocalFixture fixture, IAcmeStorage storage, string issuance, params string[] names)
        => StartOfTypeAsync(fixture, storage, issuance, "tls-alpn-01", names);

    private static Task<AcmeApp> StartOfTypeAsync(
        LocalFixture fixture, IAcmeStorage storage, string issuance, string type, params string[] names)
    {
        var settings = fixture.Settings(names.Length > 0 ? names : [Name]);
        settings["AcmeHttps:Issuance"] = issuance;
        settings["AcmeHttps:ChallengeTypes:0"] = type;
        settings["urls"] = $"http://127.0.0.1:{FreePort.Tcp()};https://127.0.0.1:0";
        return AcmeApp.StartAsync(settings, configure: QuickIssuance.Apply, storage: storage, cancellationToken: Cancelled);
    }
}
