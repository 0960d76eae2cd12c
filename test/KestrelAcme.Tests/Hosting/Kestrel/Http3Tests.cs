using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>HTTP/3 without QUIC: Kestrel binds the endpoint with options that select the published certificates.</summary>
public sealed class Http3Tests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Endpoint_WithHttp3_BindsAndTcpHasTheFullChain()
    {
        var quic = new FakeQuic();
        var port = FreePort.TcpAndUdp();
        await using var app = await KestrelApp.StartAsync(
            builder =>
            {
                builder.Services.AddSingleton<IMultiplexedConnectionListenerFactory>(quic);
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1AndHttp2AndHttp3;
                    listen.UseHttps();
                }));
            },
            Token);
        app.Publisher.Publish(Authority.Issue("a.test"));

        Assert.Equal("a.test", await SelectAsync(quic, "a.test"));
        var tcp = await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token);
        Assert.Equal("a.test", tcp.Name);
        Assert.Single(tcp.Sent);
    }

    // Kestrel builds no pipeline for TCP then, and refuses options with OnAuthenticate.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Endpoint_OnlyHttp3_BindsAndSelects(bool hasEndpointDefaults)
    {
        var quic = new FakeQuic();
        await using var app = await KestrelApp.StartAsync(
            builder =>
            {
                builder.Services.AddSingleton<IMultiplexedConnectionListenerFactory>(quic);
                builder.WebHost.UseUrls("https://127.0.0.1:0");
                if (hasEndpointDefaults)
                {
                    builder.WebHost.ConfigureKestrel(k => k.ConfigureEndpointDefaults(l => l.Protocols = HttpProtocols.Http3));
                }
            },
            Token,
            configuration: hasEndpointDefaults ? [] : new() { ["Kestrel:EndpointDefaults:Protocols"] = "Http3" });
        app.Publisher.Publish(Authority.Issue("a.test"));

        Assert.Equal("a.test", await SelectAsync(quic, "a.test"));
    }

    // Calls the options that Kestrel bound QUIC with, like QUIC would for a connection.
    private async Task<string> SelectAsync(FakeQuic quic, string serverName)
    {
        var callback = Assert.Single(quic.Bound)!.Select(pair => pair.Value).OfType<TlsConnectionCallbackOptions>().Single();
        var context = new TlsConnectionCallbackContext
        {
            ClientHelloInfo = new SslClientHelloInfo(serverName, SslProtocols.Tls13),
            State = callback.OnConnectionState,
        };
        var options = await callback.OnConnection(context, Token);
        var certificate = options.ServerCertificate ?? options.ServerCertificateSelectionCallback?.Invoke(this, serverName);
        return ((X509Certificate2)certificate!).GetNameInfo(X509NameType.SimpleName, false);
    }
}
