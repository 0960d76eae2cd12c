using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

public sealed class TlsAlpn01Tests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_OnlyPort443_ObtainsByTlsAlpn01()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var port = FreePort.Tcp();
        fixture.Authority.Resolve("app.test", new IPEndPoint(IPAddress.Loopback, 9), new IPEndPoint(IPAddress.Loopback, port));
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:ChallengeTypes:0"] = "tls-alpn-01";
        settings["urls"] = $"https://127.0.0.1:{port}";
        await using var app = await AcmeApp.StartAsync(settings, cancellationToken: Cancelled);

        await app.ObtainedAsync("app.test");

        Assert.All(fixture.Authority.Validations, v => Assert.Equal("tls-alpn-01", v.Type));
        Assert.Equal(app.Certificates.Find("app.test")!.SerialNumber, (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
    }

    [Fact]
    public async Task Order_FirstTypeFails_TheNextOrderTriesTheOther()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var port = FreePort.Tcp();

        // Nobody listens where http-01 is looked for.
        fixture.Authority.Resolve("app.test", new IPEndPoint(IPAddress.Loopback, 9), new IPEndPoint(IPAddress.Loopback, port));
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:ChallengeTypes:0"] = "http-01";
        settings["AcmeHttps:ChallengeTypes:1"] = "tls-alpn-01";
        settings["urls"] = $"http://127.0.0.1:0;https://127.0.0.1:{port}";
        await using var app = await AcmeApp.StartAsync(settings, cancellationToken: Cancelled);
        await Poll.UntilAsync(
            () => app.Certificates.Find("app.test")!.State == CertificateState.Waiting,
            () => $"the first failure\n{app.Log}",
            cancellationToken: Cancelled);

        await app.Certificates.RenewAsync("app.test", Cancelled);

        Assert.Equal(["http-01", "tls-alpn-01"], fixture.Authority.Validations.Select(v => v.Type));
    }
}
