using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using KestrelAcme.Diagnostics;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Diagnostics;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>Handshakes, by where their certificate came from: each counts once.</summary>
public sealed class HandshakeMetricsTests
{
    private static readonly TestAuthority Authority = new();
    private static readonly SslApplicationProtocol AcmeTls = new("acme-tls/1");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Handshake_EachOutcome_CountsOnceUnderItsSource()
    {
        await using var app = await StartAsync();
        using var metrics = new MetricReader(app.App.Services);
        using var challenge = Authority.IssueWithKey("b.test");
        app.Publisher.SetManagedNames(["a.test", "b.test"]);
        app.Publisher.Publish(Authority.Issue("a.test"));
        app.Publisher.PresentChallenge("b.test", "one", challenge);

        await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token);
        await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token);
        await TlsProbe.ConnectAsync(app.EndPoint, "b.test", Token);
        await TlsProbe.ConnectAsync(app.EndPoint, "b.test", Token, o => o.ApplicationProtocols = [AcmeTls]);
        await Assert.ThrowsAsync<AuthenticationException>(() => TlsProbe.ConnectAsync(app.EndPoint, "foreign.test", Token));
        await Assert.ThrowsAsync<AuthenticationException>(
            () => TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token, o => o.ApplicationProtocols = [AcmeTls]));

        await CountedAsync(metrics, "managed=2 placeholder=1 challenge=1 refused=2");
        await Poll.UntilAsync(
            () => metrics.Sum(Instruments.ChallengeRequests, "tls-alpn-01", "answered") == 1
                && metrics.Sum(Instruments.ChallengeRequests, "tls-alpn-01", "unknown") == 1,
            "both validations are counted", cancellationToken: Token);
    }

    [Fact]
    public async Task Handshake_DefaultCertificateOfTheApp_CountsAsFallback()
    {
        var fallback = Authority.IssueWithKey("fallback.test");
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0").ConfigureKestrel(
                kestrel => kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = fallback)),
            Token);
        using var metrics = new MetricReader(app.App.Services);
        app.Publisher.Publish(Authority.Issue("a.test"));

        await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token);
        await TlsProbe.ConnectAsync(app.EndPoint, "foreign.test", Token);

        await CountedAsync(metrics, "managed=1 fallback=1");
    }

    [Fact]
    public async Task Handshake_EndpointsOfTheApp_CountAsApp()
    {
        var own = Authority.IssueWithKey("own.test");
        await using var app = await StartAsync(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(own));
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => own));
        });
        using var metrics = new MetricReader(app.App.Services);
        app.Publisher.Publish(Authority.Issue("a.test"));

        foreach (var address in app.Addresses)
        {
            await TlsProbe.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port), "a.test", Token);
        }

        await CountedAsync(metrics, "app=2");
    }

    [Fact]
    public async Task Handshake_OnAuthenticateAroundOurs_CountsOnce()
    {
        await using var app = await StartAsync(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
        {
            var inner = https.OnAuthenticate;
            https.OnAuthenticate = (connection, ssl) => inner?.Invoke(connection, ssl);
        })));
        using var metrics = new MetricReader(app.App.Services);
        app.Publisher.Publish(Authority.Issue("a.test"));

        await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token);

        await CountedAsync(metrics, "managed=1");
    }

    [Fact]
    public async Task Handshake_SniSections_CountOnce()
    {
        const string endpoint = "Kestrel:Endpoints:Web";
        await using var app = await KestrelApp.StartAsync(
            _ => { },
            Token,
            configuration: new()
            {
                [$"{endpoint}:Url"] = "https://127.0.0.1:0",
                [$"{endpoint}:Sni:*:Protocols"] = "Http1AndHttp2",
            });
        using var metrics = new MetricReader(app.App.Services);
        app.Publisher.Publish(Authority.Issue("a.test"));

        await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token);
        await Assert.ThrowsAnyAsync<Exception>(() => TlsProbe.ConnectAsync(app.EndPoint, "foreign.test", Token));

        await CountedAsync(metrics, "managed=1 refused=1");
    }

    [Fact]
    public async Task Handshake_OverQuic_Counts()
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
        using var metrics = new MetricReader(app.App.Services);
        app.Publisher.Publish(Authority.Issue("a.test"));
        var callback = Assert.Single(quic.Bound)!.Select(pair => pair.Value).OfType<TlsConnectionCallbackOptions>().Single();
        var options = await callback.OnConnection(
            new TlsConnectionCallbackContext
            {
                ClientHelloInfo = new SslClientHelloInfo("a.test", SslProtocols.Tls13),
                State = callback.OnConnectionState,
            },
            Token);
        options.ServerCertificateSelectionCallback?.Invoke(this, "a.test");

        await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token);

        await CountedAsync(metrics, "managed=2");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Count_WithAndWithoutAListener_AllocatesNothing(bool listens)
    {
        await using var app = await StartAsync();
        using var listener = new System.Diagnostics.Metrics.MeterListener();
        if (listens)
        {
            listener.InstrumentPublished = (instrument, l) => l.EnableMeasurementEvents(instrument);
            listener.SetMeasurementEventCallback<long>(static (_, _, _, _) => { });
            listener.Start();
        }

        var metrics = app.App.Services.GetRequiredService<AcmeHttpsMetrics>();
        metrics.Handshake(HandshakeSource.Managed);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            metrics.Handshake(HandshakeSource.Managed);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static Task<KestrelApp> StartAsync(Action<KestrelServerOptions>? kestrel = null) => KestrelApp.StartAsync(
        builder =>
        {
            if (kestrel is null)
            {
                builder.WebHost.UseUrls("https://127.0.0.1:0");
            }
            else
            {
                builder.WebHost.ConfigureKestrel(kestrel);
            }
        },
        Token);

    // The client may be done before the server has counted.
    private static Task CountedAsync(MetricReader metrics, string expected)
    {
        string Counted() => string.Join(
            ' ', metrics.By(Instruments.Handshakes, InstrumentTags.CertificateSource).Select(c => $"{c.Key}={c.Value}").Order());
        var sorted = string.Join(' ', expected.Split(' ').Order());
        return Poll.UntilAsync(() => Counted() == sorted, () => $"{sorted}; counted: {Counted()}", cancellationToken: Token);
    }
}
