using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges.TlsAlpn01;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Sharing;

/// <summary>Two instances behind a load balancer that passes port 443 only: one orders, the authority reaches the other.</summary>
public sealed class SharedTlsAlpn01Tests
{
    private const string Name = "app.test";

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

        Assert.True(other.Log.Has("ChallengeAnswered"));
        Assert.False(app.Log.Has("ChallengeAnswered"));
        Assert.Empty(await ListAsync(storage));
    }

    [Fact]
    public async Task Connect_ForAForeignName_AsksTheStoreForNothing()
    {
        WatchedStorage? storage = null;
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, storage = new WatchedStorage(new InMemoryStorage()), "ServeOnly");

        await Assert.ThrowsAnyAsync<Exception>(() => ValidateAsync(app, "foreign.test"));
        Assert.DoesNotContain(storage.Reads, IsAnswer);
        await Assert.ThrowsAnyAsync<Exception>(() => ValidateAsync(app, Name));
        Assert.Single(storage.Reads, IsAnswer);
    }

    private static bool IsAnswer(string key) => key.StartsWith(SharedTlsAlpn01Answers.StoragePrefix, StringComparison.Ordinal);

    private static async Task ValidateAsync(AcmeApp app, string name)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(app.Https, Cancelled);
        await using var stream = new System.Net.Security.SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate is not null);
        await stream.AuthenticateAsClientAsync(
            new System.Net.Security.SslClientAuthenticationOptions { TargetHost = name, ApplicationProtocols = [new("acme-tls/1")] }, Cancelled);
    }

    private static async Task<List<string>> ListAsync(InMemoryStorage storage)
    {
        var keys = new List<string>();
        await foreach (var key in storage.ListAsync(SharedTlsAlpn01Answers.StoragePrefix, Cancelled))
        {
            keys.Add(key);
        }

        return keys;
    }

    private static Task<AcmeApp> StartAsync(LocalFixture fixture, IAcmeStorage storage, string issuance)
    {
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:Issuance"] = issuance;
        settings["AcmeHttps:ChallengeTypes:0"] = "tls-alpn-01";
        settings["urls"] = $"http://127.0.0.1:{FreePort.Tcp()};https://127.0.0.1:0";
        return AcmeApp.StartAsync(settings, configure: QuickIssuance.Apply, storage: storage, cancellationToken: Cancelled);
    }
}
