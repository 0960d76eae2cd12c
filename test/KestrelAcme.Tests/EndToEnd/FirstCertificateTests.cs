using KestrelAcme.Certificates;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

public sealed class FirstCertificateTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_NewName_ObtainsAndServesTheFullChain()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync("app.test");
        var answer = await app.ConnectAsync("app.test", Cancelled);

        Assert.Equal(app.Certificates.Find("app.test")!.SerialNumber, answer.SerialNumber);
        Assert.Equal(2, answer.Chain.Count);
        Assert.Equal(fixture.Authority.IntermediateCertificate.Thumbprint, answer.Chain[1].Thumbprint);
        Assert.Empty(app.Log.At(LogLevel.Error));
        Assert.Empty(app.Log.At(LogLevel.Warning));
    }

    [Fact]
    public async Task Start_SeveralNames_EachHasItsOwnCertificate()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings("one.test", "two.test", "three.test"));

        foreach (var name in new[] { "one.test", "two.test", "three.test" })
        {
            await app.ObtainedAsync(name);
            Assert.True((await app.ConnectAsync(name, Cancelled)).Leaf.MatchesHostname(name));
        }

        Assert.Equal(3, fixture.Authority.Issued.Count);
        Assert.Equal(3, app.Certificates.List().Select(c => c.SerialNumber).Distinct().Count());
    }

    [Fact]
    public async Task SecondStart_WithTheStore_ServesAtOnceAndOrdersNothing()
    {
        await using var fixture = await LocalFixture.StartAsync();
        string serial;
        await using (var first = await fixture.StartAppAsync(fixture.Settings("app.test")))
        {
            await first.ObtainedAsync("app.test");
            serial = first.Certificates.Find("app.test")!.SerialNumber!;
            await first.StopAsync(Cancelled);
        }

        fixture.Authority.ClearRequests();
        await using var second = await fixture.StartAppAsync(fixture.Settings("app.test"));
        var answer = await second.ConnectAsync("app.test", Cancelled);

        Assert.Equal(serial, answer.SerialNumber);
        Assert.Single(fixture.Authority.Issued);
        Assert.DoesNotContain(fixture.Authority.Requests, r => r.Method == "POST");
    }

    [Fact]
    public async Task Start_ForeignName_IsRefused()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync("app.test");

        Assert.NotNull((await app.ConnectAsync("other.test", Cancelled)).Refusal);
    }

    [Fact]
    public async Task Start_OneNameFails_TheOthersAreObtained()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.FailValidation("bad.test", "connection", "nobody answers there");
        await using var app = await fixture.StartAppAsync(fixture.Settings("bad.test", "good.test"));

        await app.ObtainedAsync("good.test");
        await KestrelAcme.Testing.Poll.UntilAsync(
            () => app.Certificates.Find("bad.test")!.State == CertificateState.Waiting, "bad.test waits", cancellationToken: Cancelled);
        var failure = app.Certificates.Find("bad.test")!.Failure!;

        Assert.Equal((1, FailureCause.Name), (failure.Count, failure.Cause));
        Assert.Contains("nobody answers there", failure.Message, StringComparison.Ordinal);
        Assert.True((await app.ConnectAsync("bad.test", Cancelled)).IsSelfSigned);
    }
}
