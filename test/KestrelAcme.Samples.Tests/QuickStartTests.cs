using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using QuickStart;
using Xunit;

namespace KestrelAcme.Samples.Tests;

public sealed class QuickStartTests
{
    private const string Name = "quickstart.localhost";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_OnARealKestrel_ServesAndRenews()
    {
        using var folder = new TemporaryFolder();
        var (http, https) = (FreePort.Tcp(), FreePort.Tcp());
        await using var factory = new WebApplicationFactory<RenewalDemo>().WithWebHostBuilder(builder => builder
            .UseEnvironment("Development")
            .UseSetting("urls", $"http://127.0.0.1:{http};https://127.0.0.1:{https}")
            .UseSetting("AcmeHttps:StoragePath", folder.Path));
        factory.UseKestrel(_ => { });
        factory.StartServer();
        var certificates = factory.Services.GetRequiredService<ICertificateManager>();
        await Poll.UntilAsync(
            () => certificates.Find(Name) is { State: CertificateState.Valid }, "the certificate is there", cancellationToken: Cancelled);
        var root = factory.Services.GetRequiredService<KestrelAcme.LocalAuthority.LocalAcmeAuthority>().RootCertificate;

        using var client = Client(https, root);
        var hello = await client.GetStringAsync(new Uri($"https://{Name}/"), Cancelled);
        var before = certificates.Find(Name)!.SerialNumber;
        using var renewed = await client.PostAsync(new Uri($"https://{Name}/renew"), null, Cancelled);
        var report = await renewed.Content.ReadAsStringAsync(Cancelled);

        Assert.Equal("Hello over HTTPS\n", hello);
        Assert.Contains($"serial before           {before}", report, StringComparison.Ordinal);
        Assert.Contains("answered 200 before and 200 after", report, StringComparison.Ordinal);
        Assert.NotEqual(before, certificates.Find(Name)!.SerialNumber);
    }

    /// <summary>A client that sends the server name, connects to the test's port, and trusts only the local root.</summary>
    private static HttpClient Client(int port, X509Certificate2 root) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { root },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        },
    });
}
