using System.Net;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>What the machine's OPENSSL_CONF allows, of which the application's options say nothing.</summary>
public sealed class OpenSslConfigurationTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("TLSv1.2", "1.2.840.113549.1.1.1")]
    [InlineData("TLSv1.3", "1.2.840.10045.2.1")]
    public async Task Connect_RsaOnlyBelowTls13_TheKeyThatFitsTheHighestVersionAllowed(string highest, string expected)
    {
        using var folder = new TemporaryFolder();
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:KeyAlgorithms:0"] = "EcdsaP256";
        settings["AcmeHttps:KeyAlgorithms:1"] = "Rsa2048";
        settings["OPENSSL_CONF"] = folder.Write(
            "openssl.cnf", $"openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\nMaxProtocol = {highest}\n");
        var port = FreePort.Tcp();
        fixture.Authority.Resolve("app.test", new IPEndPoint(IPAddress.Loopback, port));
        await using var app = TestAppProcess.Start(settings, port);
        await app.ListeningAsync();
        await app.ValidAsync("app.test");
        await app.ValidAsync("app.test+rsa2048", serverName: "app.test");

        var served = await OpenSsl.ShowCertificatesAsync(
            app.Https.Port,
            "app.test",
            ["-cipher", "ECDHE-RSA-AES128-GCM-SHA256"],
            fixture.Authority.RootPem,
            cancellationToken: Cancelled);

        Assert.Equal("0 (ok)", served.VerifyReturnCode);
        using var leaf = served.LoadLeaf();
        Assert.Equal(expected, leaf.PublicKey.Oid.Value);
    }
}
