using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

public sealed class KeyAlgorithmsTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_EcdsaAndRsa_EachHasItsOwnOrderAndClientsGetWhatTheyCan(bool reusePendingOrders)
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.ReusePendingOrders = reusePendingOrders;
        fixture.Authority.Faults.ReusePendingAuthorizations = reusePendingOrders;
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:KeyAlgorithms:0"] = "EcdsaP256";
        settings["AcmeHttps:KeyAlgorithms:1"] = "Rsa2048";
        await using var app = await fixture.StartAppAsync(settings);

        await app.ObtainedAsync("app.test");
        await app.ObtainedAsync("app.test+rsa2048");

        Assert.Equal(2, fixture.Authority.Issued.Select(i => i.OrderId).Distinct().Count());
        var ecdsa = await OpenSsl.ShowCertificatesAsync(
            app.Https.Port, "app.test", ["-sigalgs", "ecdsa_secp256r1_sha256"], cancellationToken: Cancelled);
        var rsa = await OpenSsl.ShowCertificatesAsync(
            app.Https.Port, "app.test", ["-sigalgs", "rsa_pss_rsae_sha256:RSA+SHA256"], cancellationToken: Cancelled);
        using var ecdsaLeaf = ecdsa.LoadLeaf();
        using var rsaLeaf = rsa.LoadLeaf();
        Assert.Equal("1.2.840.10045.2.1", ecdsaLeaf.PublicKey.Oid.Value);
        Assert.Equal("1.2.840.113549.1.1.1", rsaLeaf.PublicKey.Oid.Value);
        Assert.Equal(2, rsa.CertificatesPem.Count);
        await Poll.UntilAsync(
            () => !app.Certificates.List().Any(c => c.OrderUrl is not null), "no order is left", cancellationToken: Cancelled);
    }
}
