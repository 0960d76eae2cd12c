using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Xunit;

namespace KestrelAcme.Tests.Servers;

public sealed class PebbleChainTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Served_Intermediates_LeadToTheRoot(int intermediates)
    {
        await using var fixture = await PebbleFixture.StartAsync(new PebbleOptions { ChainLength = intermediates });
        await using var app = await fixture.StartAppAsync("app.test");

        await app.ObtainedAsync("app.test");
        var served = await fixture.ServedAsync(app, "app.test");
        var verified = await fixture.VerifyAsync(served, "app.test");

        Assert.Equal(1 + intermediates, served.CertificatesPem.Count);
        Assert.Equal("0 (ok)", served.VerifyReturnCode);
        Assert.True(verified.ExitCode == 0, verified.Output);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Served_PreferredChain_LeadsToThatRootAndNoOther(int chosen)
    {
        await using var fixture = await PebbleFixture.StartAsync(new PebbleOptions { AlternateRoots = 2, ChainLength = 2 });
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:PreferredChain"] = await RootNameAsync(fixture, chosen);
        await using var app = await PebbleFixture.StartAppAsync(settings);

        await app.ObtainedAsync("app.test");
        for (var root = 0; root < 3; root++)
        {
            var served = await fixture.ServedAsync(app, "app.test", root);
            Assert.Equal(root == chosen, served.VerifyReturnCode == "0 (ok)");
        }
    }

    [Fact]
    public async Task Served_PreferredChainNotOffered_IsTheDefaultChain()
    {
        await using var fixture = await PebbleFixture.StartAsync(new PebbleOptions { AlternateRoots = 1 });
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:PreferredChain"] = "Nobody's Root";
        await using var app = await PebbleFixture.StartAppAsync(settings);

        await app.ObtainedAsync("app.test");

        Assert.Equal("0 (ok)", (await fixture.ServedAsync(app, "app.test")).VerifyReturnCode);
    }

    private static async Task<string> RootNameAsync(PebbleFixture fixture, int index)
    {
        using var root = X509Certificate2.CreateFromPem(await fixture.Pebble.GetIssuingRootPemAsync(index, Cancelled));
        return root.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
    }
}
