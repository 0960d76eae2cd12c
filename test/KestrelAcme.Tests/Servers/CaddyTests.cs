using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Xunit;

namespace KestrelAcme.Tests.Servers;

public sealed class CaddyTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_Localhost_ObtainsAndRenews()
    {
        await using var caddy = await CaddyAcmeServer.StartAsync(cancellationToken: Cancelled);
        using var folder = new TemporaryFolder();
        var settings = new Dictionary<string, string?>
        {
            ["AcmeHttps:DirectoryUrl"] = caddy.DirectoryUrl.ToString(),
            ["AcmeHttps:TrustedRootsPath"] = caddy.TrustedRootsPath,
            ["AcmeHttps:StoragePath"] = folder.Combine("store"),
            ["AcmeHttps:AcceptTermsOfService"] = "true",
            ["AcmeHttps:EmailAddress"] = "admin@example.com",
            ["AcmeHttps:DomainNames:0"] = "localhost",
            ["AcmeHttps:DomainNames:1"] = "127.0.0.1",
            ["AcmeHttps:ChallengeTypes:0"] = "http-01",
            ["urls"] = $"http://127.0.0.1:{caddy.HttpPort};https://127.0.0.1:0",
        };
        await using var app = await AcmeApp.StartAsync(settings, configure: QuickRetries.Configure, cancellationToken: Cancelled);

        await app.ObtainedAsync("localhost");
        await app.ObtainedAsync("127.0.0.1");
        var root = await caddy.GetIssuingRootPemAsync(Cancelled);
        var named = await OpenSsl.ShowCertificatesAsync(app.Https.Port, "localhost", rootsPem: root, cancellationToken: Cancelled);
        var unnamed = await OpenSsl.ShowCertificatesAsync(app.Https.Port, serverName: null, rootsPem: root, cancellationToken: Cancelled);
        using var before = named.LoadLeaf();
        var renewed = await app.Certificates.RenewAsync("localhost", Cancelled);

        Assert.Equal("0 (ok)", named.VerifyReturnCode);
        Assert.Equal("0 (ok)", unnamed.VerifyReturnCode);
        Assert.NotEqual(before.SerialNumber, renewed.SerialNumber);
    }
}
