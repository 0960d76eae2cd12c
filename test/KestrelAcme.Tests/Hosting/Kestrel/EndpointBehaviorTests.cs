using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>What the table of configurations does not show: client certificates, reloads, sockets, other servers.</summary>
public sealed class EndpointBehaviorTests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, ClientCertificateMode.RequireCertificate, false)]
    [InlineData(false, ClientCertificateMode.RequireCertificate, false)]
    [InlineData(true, ClientCertificateMode.AllowCertificate, true)]
    [InlineData(false, ClientCertificateMode.AllowCertificate, true)]
    [InlineData(true, ClientCertificateMode.DelayCertificate, true)]
    public async Task ClientCertificateMode_OfTheApp_Kept(bool before, ClientCertificateMode mode, bool anonymousServed)
    {
        void Configure(WebApplicationBuilder builder) => builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https =>
        {
            https.ClientCertificateMode = mode;
            https.ClientCertificateValidation = (_, _, _) => true;
        }));
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

        if (anonymousServed)
        {
            Assert.StartsWith("HTTP/1.1 200", await GetAsync(app, null), StringComparison.Ordinal);
        }
        else
        {
            await Assert.ThrowsAnyAsync<IOException>(() => GetAsync(app, null));
        }

        if (mode != ClientCertificateMode.DelayCertificate)
        {
            using var client = Authority.IssueWithKey("client.test");
            Assert.Contains("CN=client.test", await GetAsync(app, client), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task SessionOfAnOpenEndpoint_AtOneThatRequiresACertificate_OpensNothing(SslProtocols version)
    {
        // Both serve one certificate, out of one context: with static certificates, that is rare.
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps());
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
                {
                    https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                    https.ClientCertificateValidation = (_, _, _) => true;
                }));
            }),
            Token);
        app.Publisher.Publish(Authority.Issue("a.test"));
        void Limit(SslClientAuthenticationOptions options) => options.EnabledSslProtocols = version;
        for (var i = 0; i < 3; i++)
        {
            Assert.StartsWith("HTTP/1.1 200", await GetAsync(app.EndPoint, null, Limit), StringComparison.Ordinal);
        }

        var closed = new IPEndPoint(IPAddress.Loopback, app.Addresses[1].Port);
        await Assert.ThrowsAnyAsync<Exception>(() => GetAsync(closed, null, Limit));
        using var client = Authority.IssueWithKey("client.test");
        Assert.Contains("CN=client.test", await GetAsync(closed, client, Limit), StringComparison.Ordinal);
    }

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
    public async Task EndpointAddedByReload_Https_Served()
    {
        var port = FreePort.Tcp();
        await using var app = await KestrelApp.StartAsync(
            _ => { }, Token, configuration: new() { ["Kestrel:Endpoints:First:Url"] = "https://127.0.0.1:0" });
        app.Publisher.Publish(Authority.Issue("a.test"));
        var configuration = (IConfigurationRoot)app.App.Services.GetRequiredService<IConfiguration>();
        configuration["Kestrel:Endpoints:Second:Url"] = $"https://127.0.0.1:{port}";
        configuration.Reload();

        TlsProbe? probe = null;
        await Poll.UntilAsync(
            async token =>
            {
                probe = await TlsProbe.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), "a.test", token);
                return true;
            },
            "the endpoint that the reload added", cancellationToken: Token);

        Assert.Equal("a.test", probe!.Name);
        Assert.Single(probe.Sent);
    }

    [Fact]
    public async Task EndpointGetsACertificateByReload_ItsOwnIsServedAndOursAfterwards()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Combine("own.pfx");
        using (var own = Authority.IssueWithKey("own.test"))
        {
            await File.WriteAllBytesAsync(path, own.Export(X509ContentType.Pkcs12, "secret"), Token);
        }

        var port = FreePort.Tcp();
        var endPoint = new IPEndPoint(IPAddress.Loopback, port);
        await using var app = await KestrelApp.StartAsync(
            _ => { }, Token, configuration: new() { ["Kestrel:Endpoints:Web:Url"] = $"https://127.0.0.1:{port}" });
        app.Publisher.Publish(Authority.Issue("a.test"));
        Assert.Equal("a.test", (await TlsProbe.ConnectAsync(endPoint, "a.test", Token)).Name);
        var configuration = (IConfigurationRoot)app.App.Services.GetRequiredService<IConfiguration>();

        configuration["Kestrel:Endpoints:Web:Certificate:Path"] = path;
        configuration["Kestrel:Endpoints:Web:Certificate:Password"] = "secret";
        configuration.Reload();
        await ServedAsync("own.test");

        configuration["Kestrel:Endpoints:Web:Certificate:Path"] = null;
        configuration["Kestrel:Endpoints:Web:Certificate:Password"] = null;
        configuration.Reload();
        await ServedAsync("a.test");
        Assert.Single((await TlsProbe.ConnectAsync(endPoint, "a.test", Token)).Sent);

        Task ServedAsync(string name) => Poll.UntilAsync(
            async token =>
            {
                try
                {
                    return (await TlsProbe.ConnectAsync(endPoint, "a.test", token)).Name == name;
                }
                catch (Exception exception) when (exception is SocketException or IOException or AuthenticationException)
                {
                    // Kestrel closes the endpoint, then opens it again.
                    return false;
                }
            },
            $"the certificate {name}", cancellationToken: Token);
    }

    [Theory]
    [InlineData("Development", true)]
    [InlineData("Production", false)]
    public async Task DeveloperCertificate_ForeignName_InDevelopmentOnly(string environment, bool served)
    {
        using var developer = new DeveloperCertificateFile();
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token, environment: environment,
            applicationName: developer.ApplicationName,
            configuration: new() { ["Kestrel:Certificates:Development:Password"] = DeveloperCertificateFile.Password });
        app.Publisher.Publish(Authority.Issue("a.test"));

        if (served)
        {
            Assert.Equal("localhost", (await TlsProbe.ConnectAsync(app.EndPoint, "localhost", Token)).Name);
        }
        else
        {
            await Assert.ThrowsAsync<AuthenticationException>(() => TlsProbe.ConnectAsync(app.EndPoint, "localhost", Token));
        }

        Assert.Equal("a.test", (await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token)).Name);
    }

    [Fact]
    public async Task TestServer_WithOurs_Inert()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Services.AddKestrelTls();
        await using var app = builder.Build();
        await app.StartAsync(Token);

        Assert.False(app.Services.GetRequiredService<KestrelEndpoints>().IsApplied);
    }

    [Fact]
    public async Task EndpointDefaultsAndListenInOneCallback_NoPeek_ServedAndSaid()
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
    public async Task PlainAndForeignEndpointsOnly_NoneIsOurs()
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

    [Fact]
    public void UseAcmeHttps_WithoutTheServices_SaysWhatIsMissing()
    {
        using var services = new ServiceCollection().BuildServiceProvider();
        var exception = Assert.Throws<InvalidOperationException>(() => new HttpsConnectionAdapterOptions().UseAcmeHttps(services));
        Assert.Contains("AddAcmeHttps", exception.Message, StringComparison.Ordinal);
    }

    private static Task<string> GetAsync(KestrelApp app, X509Certificate2? certificate) => GetAsync(app.EndPoint, certificate, _ => { });

    private static async Task<string> GetAsync(
        EndPoint endPoint, X509Certificate2? certificate, Action<SslClientAuthenticationOptions> configure)
    {
        var answer = "";
        await TlsProbe.ConnectAsync(
            endPoint, "a.test",
            async (stream, _) =>
            {
                await stream.WriteAsync("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"u8.ToArray(), Token);
                using var reader = new StreamReader(stream, leaveOpen: true);
                answer = await reader.ReadToEndAsync(Token);
                if (answer.Length == 0)
                {
                    throw new IOException("The server closed without an answer.");
                }
            },
            Token,
            options =>
            {
                options.ClientCertificates = certificate is null ? null : [certificate];
                configure(options);
            });
        return answer;
    }
}
