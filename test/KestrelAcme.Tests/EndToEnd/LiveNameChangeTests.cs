using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>Names that come, go and are regrouped while the application runs: clients get what the status reports.</summary>
public sealed class LiveNameChangeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Names_Regrouped_EachGroupIsServedAsItIsNow()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await ChangingApp.StartAsync(fixture, fixture.Settings("a.test", "b.test"));
        await running.SettledAsync(2);

        running.Reload(fixture.Settings().AddGroup("a.test", "b.test"));
        await running.SettledAsync(1);
        Assert.Equal(await running.SerialNumberAsync("a.test"), await running.SerialNumberAsync("b.test"));

        running.Reload(fixture.Settings("a.test").AddGroup("b.test", "c.test"));
        await running.SettledAsync(2);
        Assert.Equal(await running.SerialNumberAsync("b.test"), await running.SerialNumberAsync("c.test"));
        Assert.NotEqual(await running.SerialNumberAsync("a.test"), await running.SerialNumberAsync("b.test"));
    }

    [Fact]
    public async Task Names_OneGroupSplitWhileOnePartCannotBeObtained_TheOldOneServesThatPartOnly()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await ChangingApp.StartAsync(fixture, fixture.Settings().AddGroup("a.test", "b.test"));
        await running.SettledAsync(1);
        var group = await running.SerialNumberAsync("a.test");
        fixture.Authority.Faults.FailValidation("b.test", "caa", "forbidden", times: 100);

        running.Reload(fixture.Settings("a.test", "b.test"));
        await Poll.UntilAsync(
            () => running.App.Certificates.Find("a.test") is { SerialNumber: not null, DomainNames.Count: 1 },
            "the certificate for a.test",
            cancellationToken: Cancelled);

        Assert.Equal(running.App.Certificates.Find("a.test")!.SerialNumber, await running.SerialNumberAsync("a.test"));
        Assert.Equal(group, await running.SerialNumberAsync("b.test"));
    }

    [Fact]
    public async Task Name_RemovedAndAddedBack_IsReportedAsItIsServedAndNotOrderedAgain()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await ChangingApp.StartAsync(fixture, fixture.Settings("a.test", "b.test"));
        await running.SettledAsync(2);
        var served = await running.SerialNumberAsync("b.test");

        running.Reload(fixture.Settings("a.test"));
        await Poll.UntilAsync(() => running.App.Certificates.Find("b.test") is null, "the removal", cancellationToken: Cancelled);
        Assert.Equal(served, await running.SerialNumberAsync("b.test"));
        running.Reload(fixture.Settings("a.test", "b.test"));
        await Poll.UntilAsync(() => running.App.Certificates.Find("b.test") is not null, "the name's return", cancellationToken: Cancelled);

        await running.AssertServedAsReportedAsync();
        Assert.Equal(served, running.App.Certificates.Find("b.test")!.SerialNumber);
        await running.App.Certificates.RenewAsync("b.test", Cancelled);
        await running.AssertServedAsReportedAsync();
        Assert.NotEqual(served, await running.SerialNumberAsync("b.test"));
        Assert.Equal(3, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Name_AddedBackWhenTheStoreCannotBeRead_IsReportedAsItIsServed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var running = await ChangingApp.StartAsync(fixture, fixture.Settings("a.test", "b.test"));
        await running.SettledAsync(2);
        running.Reload(fixture.Settings("a.test"));
        await Poll.UntilAsync(() => running.App.Certificates.Find("b.test") is null, "the removal", cancellationToken: Cancelled);
        File.Delete(Path.Combine(fixture.StorePath, "certificates", "b.test.pem"));

        running.Reload(fixture.Settings("a.test", "b.test"));
        await Poll.UntilAsync(() => running.App.Certificates.Find("b.test") is not null, "the name's return", cancellationToken: Cancelled);

        await running.AssertServedAsReportedAsync();
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }
}
