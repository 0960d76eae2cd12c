using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Servers;

public sealed class PebbleIssuanceTests(SharedPebble pebble) : IClassFixture<SharedPebble>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(50)]
    public async Task Start_NoncesRefused_ObtainsAndRenews(int percent)
    {
        await using var fixture = await PebbleFixture.StartAsync(new PebbleOptions { NonceRejectPercent = percent });
        await using var app = await fixture.StartAppAsync("one.test", "two.test");

        await app.ObtainedAsync("one.test");
        await app.ObtainedAsync("two.test");
        var first = await app.ConnectAsync("one.test", Cancelled);
        var renewed = await app.Certificates.RenewAsync("one.test", Cancelled);
        var served = await fixture.ServedAsync(app, "one.test");

        Assert.NotEqual(first.SerialNumber, renewed.SerialNumber);
        Assert.Equal("0 (ok)", served.VerifyReturnCode);
        using var leaf = served.LoadLeaf();
        Assert.Equal(renewed.SerialNumber, leaf.SerialNumber);
        Assert.DoesNotContain(app.Log.Lines, l => l.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Start_SeveralNames_EachHasItsOwnCertificate()
    {
        string[] names = ["one.test", "two.test", "three.test", "four.test"];
        await using var fixture = await PebbleFixture.StartAsync(pebble);
        await using var app = await fixture.StartAppAsync(names);

        foreach (var name in names)
        {
            await app.ObtainedAsync(name);
            Assert.Equal([name], NamesOf((await app.ConnectAsync(name, Cancelled)).Leaf));
        }

        Assert.Equal(names.Length, app.Certificates.List().Select(c => c.SerialNumber).Distinct().Count());
    }

    [Fact]
    public async Task Start_Group_HasOneCertificate()
    {
        await using var fixture = await PebbleFixture.StartAsync(pebble);
        var settings = fixture.Settings("alone.test");
        settings.AddGroup("a.test", "b.test");
        await using var app = await PebbleFixture.StartAppAsync(settings);

        await app.ObtainedAsync("a.test");
        await app.ObtainedAsync("alone.test");
        var (a, b) = (await app.ConnectAsync("a.test", Cancelled), await app.ConnectAsync("b.test", Cancelled));

        Assert.Equal(["a.test", "b.test"], NamesOf(a.Leaf).Order());
        Assert.Equal(a.SerialNumber, b.SerialNumber);
        Assert.Equal(2, app.Certificates.List().Count);
    }

    [Fact]
    public async Task Start_IpAddress_IsServedWithoutServerName()
    {
        await using var fixture = await PebbleFixture.StartAsync(pebble);
        await using var app = await fixture.StartAppAsync("127.0.0.1");

        await app.ObtainedAsync("127.0.0.1");
        var served = await fixture.ServedAsync(app, serverName: null);
        var verified = await fixture.VerifyAsync(served, "127.0.0.1");

        Assert.Equal("0 (ok)", served.VerifyReturnCode);
        Assert.True(verified.ExitCode == 0, verified.Output);
    }

    [Fact]
    public async Task Renew_AuthorizationsReused_NeedsNoChallenge()
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(new PebbleOptions { AuthorizationReusePercent = 100 });
        await using var app = await fixture.StartAppAsync("app.test");
        await app.ObtainedAsync("app.test");

        await app.Certificates.RenewAsync("app.test", Cancelled);

        Assert.Single(fixture.Changes, r => r.Path.StartsWith("/chalZ/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Renew_AuthorizationsNotReused_AnswersANewChallenge()
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(pebble);
        await using var app = await fixture.StartAppAsync("app.test");
        await app.ObtainedAsync("app.test");

        Assert.Null((await PebbleFixture.RenewWithValidationAsync(app, "app.test")).Failure);

        Assert.Equal(2, fixture.Changes.Count(r => r.Path.StartsWith("/chalZ/", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Rsa2048", "1.2.840.113549.1.1.1", 2048)]
    [InlineData("EcdsaP384", "1.2.840.10045.2.1", 384)]
    public async Task Start_KeyAlgorithm_IsTheCertificates(string algorithm, string keyOid, int bits)
    {
        await using var fixture = await PebbleFixture.StartAsync(pebble);
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:KeyAlgorithm"] = algorithm;
        await using var app = await PebbleFixture.StartAppAsync(settings);

        await app.ObtainedAsync("app.test");
        var leaf = (await app.ConnectAsync("app.test", Cancelled)).Leaf;

        Assert.Equal(keyOid, leaf.GetKeyAlgorithm());
        Assert.Equal(bits, leaf.GetRSAPublicKey()?.KeySize ?? leaf.GetECDsaPublicKey()!.KeySize);
    }

    [Fact]
    public async Task Start_TwoKeyAlgorithms_EachClientGetsWhatItUnderstands()
    {
        await using var fixture = await PebbleFixture.StartAsync(pebble);
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:KeyAlgorithms:0"] = "EcdsaP256";
        settings["AcmeHttps:KeyAlgorithms:1"] = "Rsa2048";
        await using var app = await PebbleFixture.StartAppAsync(settings);
        await Poll.UntilAsync(
            () => app.Certificates.List() is { Count: 2 } all && all.All(c => c.State == CertificateState.Valid),
            () => $"both certificates\n{app.Log}",
            cancellationToken: Cancelled);

        var modern = await OpenSsl.ShowCertificatesAsync(app.Https.Port, "app.test", cancellationToken: Cancelled);
        var old = await OpenSsl.ShowCertificatesAsync(
            app.Https.Port, "app.test", ["-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"], cancellationToken: Cancelled);

        using var ecdsa = modern.LoadLeaf();
        using var rsa = old.LoadLeaf();
        Assert.NotNull(ecdsa.GetECDsaPublicKey());
        Assert.NotNull(rsa.GetRSAPublicKey());
    }

    [Fact]
    public async Task Start_ProfileUnknownToTheAuthority_ObtainsNevertheless()
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(pebble);
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:Profile"] = "shortlived";
        await using var app = await PebbleFixture.StartAppAsync(settings);

        await app.ObtainedAsync("app.test");

        Assert.Equal("shortlived", Assert.Single(fixture.NewOrders).DecodePayload()!.Value.GetProperty("profile").GetString());
    }

    private static IEnumerable<string> NamesOf(X509Certificate2 leaf)
        => leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(e => e.EnumerateDnsNames());
}
