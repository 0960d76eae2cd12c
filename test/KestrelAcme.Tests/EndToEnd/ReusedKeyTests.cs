using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Tests.FaultMatrix;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>Keys that are used again and refused, several key algorithms for one name, and a chain that is not on offer.</summary>
public sealed class ReusedKeyTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("badPublicKey")]
    [InlineData("badCSR")]
    public async Task Renew_ReusedKeyIsRefused_TheSameOrderGoesOnWithANewKey(string problem)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await ServeAsync(fixture);
        var before = await app.ConnectAsync("app.test", Cancelled);
        fixture.Authority.Faults.RefuseCertificateKeys(problem);
        fixture.Authority.ClearRequests();

        await app.Certificates.RenewAsync("app.test", Cancelled);

        Assert.NotEqual(before.Leaf.GetPublicKeyString(), (await app.ConnectAsync("app.test", Cancelled)).Leaf.GetPublicKeyString());
        Assert.Single(fixture.Authority.Requests, r => r.Resource == ResourceKind.NewOrder);
        Assert.Equal(2, fixture.Authority.Requests.Count(r => r.Resource == ResourceKind.Finalize));
        Assert.True(app.Log.Has("KeyRefused"));
    }

    [Fact]
    public async Task Renew_AllKeysWereRefused_TheRefusedOneIsNotSentAgain()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await ServeAsync(fixture);
        var before = await app.ConnectAsync("app.test", Cancelled);
        fixture.Authority.Faults.RefuseCertificateKeys(allKeys: true);
        await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));
        fixture.Authority.Faults.Clear();
        fixture.Authority.ClearRequests();

        await app.Certificates.RenewAsync("app.test", Cancelled);

        Assert.NotEqual(before.Leaf.GetPublicKeyString(), (await app.ConnectAsync("app.test", Cancelled)).Leaf.GetPublicKeyString());
        Assert.Single(fixture.Authority.Requests, r => r.Resource == ResourceKind.Finalize);
    }

    [Fact]
    public async Task RenewAndRevoke_ByName_ActOnAllKeyAlgorithms()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:KeyAlgorithms:0"] = "EcdsaP256";
        settings["AcmeHttps:KeyAlgorithms:1"] = "Rsa2048";
        await using var app = await fixture.ServeAsync(settings, QuickIssuance.Apply);
        await app.ObtainedAsync("app.test+rsa2048");
        var before = Serials(app);

        await app.Certificates.RenewAsync("app.test", Cancelled);

        var renewed = Serials(app);
        Assert.Empty(before.Intersect(renewed));
        await app.Certificates.RenewAsync("app.test+rsa2048", Cancelled);
        Assert.Single(renewed.Intersect(Serials(app)));
        await app.Certificates.RevokeAsync("app.test", RevocationReason.CessationOfOperation, Cancelled);
        Assert.Equal(2, fixture.Authority.Revoked.Count);
        Assert.All(app.Certificates.List(), status => Assert.True(status.Revoked));
    }

    [Fact]
    public async Task Order_PreferredChainIsNotOffered_SaysSoOnceWithWhatIs()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings("a.test", "b.test");
        settings["AcmeHttps:PreferredChain"] = "Nobody's Root";
        await using var app = await fixture.ServeAsync(settings);

        var line = Assert.Single(app.Log.Lines, l => l.Event.Name == "PreferredChainNotOffered");
        Assert.Contains("Nobody's Root", line.Message, StringComparison.Ordinal);
        Assert.Contains(
            fixture.Authority.RootCertificate.GetNameInfo(
                System.Security.Cryptography.X509Certificates.X509NameType.SimpleName, forIssuer: false),
            line.Message,
            StringComparison.Ordinal);
    }

    private static List<string?> Serials(AcmeApp app) => [.. app.Certificates.List().Select(s => s.SerialNumber)];

    private static async Task<AcmeApp> ServeAsync(LocalFixture fixture)
    {
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:ReuseKeys"] = "true";
        return await fixture.ServeAsync(settings, builder => builder.Services.AddSingleton(FaultMatrixSettings.Answering));
    }
}
