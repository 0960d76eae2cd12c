using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>Client certificates that the app requests.</summary>
public sealed class ClientCertificateTests
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
        // Both endpoints serve the same certificate from the same context, which is rare with static certificates.
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
