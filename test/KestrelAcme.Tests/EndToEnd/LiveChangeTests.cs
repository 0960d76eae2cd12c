using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>What changes while the application runs: clients get what the status reports, from the moment that it does.</summary>
public sealed class LiveChangeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Authority_Changed_TheNextCertificateComesFromTheNewOneAndIsServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var other = await LocalFixture.StartAsync();
        await using var running = await ChangingApp.StartAsync(fixture, fixture.Settings("app.test"));
        await running.SettledAsync(1);
        other.Authority.Resolve("app.test", running.App.Http);
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:DirectoryUrl"] = other.Authority.DirectoryUrl.ToString();
        settings["AcmeHttps:TrustedRootsPath"] = other.RootPath;

        running.Reload(settings);
        await Poll.UntilAsync(
            () => running.App.Services.GetRequiredService<KestrelAcme.Configuration.Snapshot.ConfigurationSource>()
                .Current.Authorities[0].DirectoryUrl == other.Authority.DirectoryUrl,
            "the reload", cancellationToken: Cancelled);
        await running.App.Certificates.RenewAsync("app.test", Cancelled);

        await running.AssertServedAsReportedAsync();
        Assert.Single(other.Authority.Issued);
        Assert.Equal(other.Authority.DirectoryUrl, running.App.Certificates.Find("app.test")!.DirectoryUrl);
    }

    [Fact]
    public async Task DefaultServerName_Changed_ClientsWithoutNameGetTheOther()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings("a.test", "b.test");
        settings["AcmeHttps:DefaultServerName"] = "a.test";
        await using var running = await ChangingApp.StartAsync(fixture, settings);
        await running.SettledAsync(2);
        Assert.Equal(await running.SerialNumberAsync("a.test"), await running.SerialNumberAsync(null));

        settings["AcmeHttps:DefaultServerName"] = "b.test";
        running.Reload(settings);

        var expected = await running.SerialNumberAsync("b.test");
        await Poll.UntilAsync(
            async _ => await running.SerialNumberAsync(null) == expected,
            "b.test's certificate for clients without a name",
            cancellationToken: Cancelled);
    }

    [Fact]
    public async Task SoleName_JoinedByAnother_ClientsWithoutNameAreServedWhileItIsAlone()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await ChangingApp.StartAsync(fixture, fixture.Settings("a.test"));
        await running.SettledAsync(1);
        Assert.Equal(await running.SerialNumberAsync("a.test"), await running.SerialNumberAsync(null));

        running.Reload(fixture.Settings("a.test", "b.test"));
        await running.SettledAsync(2);
        Assert.Null(await running.SerialNumberAsync(null));
        Assert.True(running.App.Log.Has("NamelessClientRefused"));
    }

    [Fact]
    public async Task Certificate_RenewedThenRevoked_TheSuccessorIsServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await ChangingApp.StartAsync(fixture, fixture.Settings("app.test"));
        await running.SettledAsync(1);
        var first = await running.SerialNumberAsync("app.test");

        await running.App.Certificates.RenewAsync("app.test", Cancelled);
        await running.AssertServedAsReportedAsync();
        var second = await running.SerialNumberAsync("app.test");
        Assert.NotEqual(first, second);

        await running.App.Certificates.RevokeAsync("app.test", RevocationReason.KeyCompromise, Cancelled);
        await Poll.UntilAsync(
            () => running.App.Certificates.Find("app.test") is { Revoked: false } status && status.SerialNumber != second,
            "the successor",
            cancellationToken: Cancelled);
        await running.AssertServedAsReportedAsync();
    }

    [Fact]
    public async Task Certificate_RenewedByAnotherInstance_IsServedByThisOne()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await ChangingApp.StartAsync(fixture, fixture.Settings("app.test"));
        await running.SettledAsync(1);
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:Issuance"] = "ServeOnly";
        await using var other = await ChangingApp.StartAsync(fixture, settings);
        await other.SettledAsync(1);

        var renewed = await running.App.Certificates.RenewAsync("app.test", Cancelled);
        await Poll.UntilAsync(
            () => other.App.Certificates.Find("app.test")!.SerialNumber == renewed.SerialNumber,
            "the other instance",
            cancellationToken: Cancelled);

        await other.AssertServedAsReportedAsync();
        await running.AssertServedAsReportedAsync();
    }
}
