using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>Which endpoints and servers take their certificates from KestrelAcme.</summary>
public sealed class EndpointDetectionTests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task UnixSocket_Https_Served()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Combine("s");
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(path, listen => listen.UseHttps())), Token);
        app.Publisher.Publish(Authority.Issue("a.test"));

        var probe = await TlsProbe.ConnectAsync(new UnixDomainSocketEndPoint(path), "a.test", Token);

        Assert.Equal("a.test", probe.Name);
        Assert.Single(probe.Sent);
    }

    [Fact]
    public async Task TestServer_WithOurs_Inert()
    {
        var builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.WebHost.UseTestServer();
        builder.Services.AddKestrelTls();
        await using var app = builder.Build();
        await app.StartAsync(Token);

        Assert.False(app.Services.GetRequiredService<KestrelEndpoints>().IsApplied);
    }

    [Fact]
    public async Task EndpointDefaultsAndListenInOneCallback_NoPeek_ServedAndLogged()
    {
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http1);
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps());
            }),
            Token);
        app.Publisher.Publish(Authority.Issue("a.test"));

        Assert.Equal("a.test", (await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token)).Name);
        Assert.Contains(
            app.Logs.Lines, entry => entry.Level == LogLevel.Warning && entry.Message.Contains("UseAcmeHttps", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PlainAndForeignEndpoints_NoOthers_NoneIsOurs()
    {
        var own = Authority.IssueWithKey("own.test");
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, 0);
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(own));
            }),
            Token);

        Assert.False(app.Endpoints.AnyIsOurs);
    }

    /// <summary>Whatever name a client sends there, the app's callback decides.</summary>
    [Fact]
    public async Task EndpointWithACallback_NameOnDemand_IsNeverAskedAbout()
    {
        var own = Authority.IssueWithKey("own.test");
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    OnConnection = _ => new(new SslServerAuthenticationOptions { ServerCertificate = own }),
                }));
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps());
            }),
            Token);
        var gate = new DenyingGate();
        app.App.Services.GetRequiredService<TlsSelector>().OnDemand = gate;

        var ofTheApp = await TlsProbe.ConnectAsync(app.EndPoint, "shop.test", Token);
        var ours = new IPEndPoint(IPAddress.Loopback, app.Addresses[1].Port);
        await Assert.ThrowsAnyAsync<Exception>(() => TlsProbe.ConnectAsync(ours, "other.test", Token));

        Assert.Equal("own.test", ofTheApp.Name);
        Assert.Equal(["other.test"], gate.Asked);
    }

    [Fact]
    public void UseAcmeHttps_WithoutTheServices_Throws()
    {
        using var services = new ServiceCollection().BuildServiceProvider();
        var exception = Assert.Throws<InvalidOperationException>(() => new HttpsConnectionAdapterOptions().UseAcmeHttps(services));
        Assert.Contains("AddAcmeHttps", exception.Message, StringComparison.Ordinal);
    }

    private sealed class DenyingGate : IOnDemandGate
    {
        public ConcurrentQueue<string> Asked { get; } = new();

        public bool AllowsAddresses => false;

        public bool Concerns(string name, string? managed) => true;

        public Task<bool> WaitAsync(string name, IPAddress? client, long length, CancellationToken gone)
        {
            Asked.Enqueue(name);
            return Task.FromResult(false);
        }
    }
}
