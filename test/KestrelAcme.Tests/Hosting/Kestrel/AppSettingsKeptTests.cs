using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Reflection;
using System.Security.Authentication;
using System.Text;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>Settings that the app made for its endpoints stay in effect with KestrelAcme.</summary>
public sealed class AppSettingsKeptTests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HandshakeTimeout_OfTheApp_HoldsForTheClientHelloToo()
    {
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0").ConfigureKestrel(
                kestrel => kestrel.ConfigureHttpsDefaults(https => https.HandshakeTimeout = TimeSpan.FromMilliseconds(200))),
            Token);
        using var client = new TcpClient();
        await client.ConnectAsync(app.EndPoint, Token);
        await client.GetStream().WriteAsync(ClientHelloBuilder.For("a.test").Build().AsMemory(0, 40), Token);

        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], Token));
        Assert.Contains(
            app.Logs.Lines,
            entry => entry.Message.Contains("did not send a complete ClientHello within 00:00:00.2", StringComparison.Ordinal));
    }

    /// <summary>Kestrel applies them only to HTTPS endpoints, and the app may have none where it lacks its certificate.</summary>
    [Fact]
    public async Task HttpsDefaults_ThatThrowAndNoHttpsEndpoint_Starts()
    {
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(
                kestrel => kestrel.ConfigureHttpsDefaults(_ => throw new FileNotFoundException())),
            Token);

        Assert.Equal("http", Assert.Single(app.Addresses).Scheme);
    }

    [Fact]
    public async Task CipherSuites_OfTheApp_Kept()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only OpenSSL takes a list of cipher suites.");
        TlsCipherSuite? negotiated = null;
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https =>
            {
#pragma warning disable CA1416 // The test runs only on Linux.
                https.OnAuthenticate = (_, ssl) => ssl.CipherSuitesPolicy = new CipherSuitesPolicy(
                    [TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256]);
#pragma warning restore CA1416
            })),
            Token);
        app.Publisher.Publish(Authority.Issue("a.test"));

        await TlsProbe.ConnectAsync(
            app.EndPoint, "a.test",
            (stream, _) =>
            {
                negotiated = stream.NegotiatedCipherSuite;
                return Task.CompletedTask;
            },
            Token);

        Assert.Equal(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, negotiated);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SslProtocols_OfTheApp_Kept(bool before)
    {
        void Configure(WebApplicationBuilder builder) => builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.ConfigureHttpsDefaults(https => https.SslProtocols = SslProtocols.Tls12));
        await using var app = await KestrelApp.StartAsync(
            builder =>
            {
                builder.WebHost.UseUrls("https://127.0.0.1:0");
                if (!before)
                {
                    Configure(builder);
                }
            },
            Token, before: before ? Configure : null);
        app.Publisher.Publish(Authority.Issue("a.test"));

        Assert.Equal(SslProtocols.Tls12, (await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token)).Version);
    }

    [Fact]
    public void HttpsDefaultsCopy_EveryOption_IsCopied()
    {
        using var certificate = Authority.IssueWithKey("a.test");
        var source = new HttpsConnectionAdapterOptions
        {
            ServerCertificate = certificate,
            ServerCertificateChain = [Authority.Intermediate],
            ServerCertificateSelector = (_, _) => null,
            ClientCertificateMode = ClientCertificateMode.RequireCertificate,
            ClientCertificateValidation = (_, _, _) => true,
            SslProtocols = SslProtocols.Tls13,
            CheckCertificateRevocation = true,
            OnAuthenticate = (_, _) => { },
            HandshakeTimeout = TimeSpan.FromSeconds(3),
#pragma warning disable CS0618 // The product uses it, too.
            TlsClientHelloBytesCallback = (_, _) => { },
#pragma warning restore CS0618
        };
        var target = new HttpsConnectionAdapterOptions();
        new HttpsDefaultsCopy(source).ApplyTo(target);

        foreach (var property in typeof(HttpsConnectionAdapterOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            // If a later version of .NET has more options, they must be copied, too.
            Assert.False(
                Equals(property.GetValue(source), property.GetValue(new HttpsConnectionAdapterOptions())),
                $"{property.Name} is not tried here.");
            Assert.Equal(property.GetValue(source), property.GetValue(target));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ConnectionMiddlewareBeforeTls_UseAcmeHttpsAfterItOrInTheEndpointDefaults_FullChain(bool byDefault)
    {
        void AddProxy(ListenOptions listen) => listen.Use(next => connection => SkipProxyLineAsync(connection, next));
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls(byDefault ? "https://127.0.0.1:0" : "").ConfigureKestrel(kestrel =>
            {
                if (byDefault)
                {
                    kestrel.ConfigureEndpointDefaults(AddProxy);
                    return;
                }

                kestrel.Listen(IPAddress.Loopback, 0, listen =>
                {
                    AddProxy(listen);
                    listen.UseAcmeHttps();
                });
            }),
            Token);
        app.Publisher.Publish(Authority.Issue("a.test"));

        using var client = new TcpClient();
        await client.ConnectAsync(app.EndPoint, Token);
        await client.GetStream().WriteAsync("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"u8.ToArray(), Token);
        List<string> sent = [];
        await using var ssl = new SslStream(client.GetStream());
        await ssl.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "a.test",
                RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                {
                    sent.AddRange(chain!.ChainPolicy.ExtraStore.Select(c => c.Thumbprint));
                    return certificate is not null;
                },
            },
            Token);

        Assert.Contains(Authority.Intermediate.Thumbprint, sent);
        Assert.DoesNotContain(app.Logs.Lines, entry => entry.Level >= LogLevel.Warning);
    }

    private static async Task SkipProxyLineAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        while (true)
        {
            var result = await connection.Transport.Input.ReadAsync(Token);
            var line = Encoding.ASCII.GetString(result.Buffer.FirstSpan);
            var end = line.IndexOf("\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                connection.Transport.Input.AdvanceTo(result.Buffer.GetPosition(end + 2));
                await next(connection);
                return;
            }

            connection.Transport.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }
}
