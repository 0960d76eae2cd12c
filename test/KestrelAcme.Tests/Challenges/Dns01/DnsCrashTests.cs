using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using KestrelAcme.Tests.Storage.FileSystem;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>Processes that are killed between creating and deleting a record.</summary>
[Long]
public sealed class DnsCrashTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_Killed_StartAnHourLaterRemovesTheStaleRecord()
    {
        using var folder = new TemporaryFolder();
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using (
            var child = StorageChildProcess.Start(
                "present", folder.Combine("store"), bind.Address.ToString(), bind.TsigKeyName, bind.TsigSecret))
        {
            await child.WaitForLineAsync("presented", cancellationToken: Cancelled);
            await child.KillAsync(Cancelled);
        }

        Assert.Single(await TxtQuery.AskAsync(bind.Address, "_acme-challenge.example.test", Cancelled));
        await SweptAnHourLaterAsync(folder.Combine("store"), bind);
    }

    [Fact]
    public async Task Start_KilledBeforeSubmission_NextStartFinishesTheOrderAndCleansUp()
    {
        using var folder = new TemporaryFolder();
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { DnsServer = bind.Address.ToString() }, Cancelled);
        var settings = BindSettings.AtPebble(bind, pebble, folder.Combine("store"));
        settings["AcmeHttps:DomainNames:0"] = "*.example.test";
        await using (var killed = TestAppProcess.Start(settings, FreePort.Tcp(), killAt: OrderActivities.PrepareChallenge))
        {
            await killed.KilledAsync();
        }

        Assert.Single(await TxtQuery.AskAsync(bind.Address, "_acme-challenge.example.test", Cancelled));
        await using var next = TestAppProcess.Start(settings, FreePort.Tcp());
        await next.ListeningAsync();
        await Poll.UntilAsync(
            async _ => await next.StateAsync("*.example.test") == "Valid",
            () => $"a valid certificate\n{next.Output}",
            cancellationToken: Cancelled);
        await Poll.UntilAsync(
            async token
                => (await TxtQuery.AskAsync(bind.Address, "_acme-challenge.example.test", token))
                    .Length == 0, () => $"a clean zone\n{next.Output}", cancellationToken: Cancelled);
    }

    /// <summary>The resumed order neither needs nor knows the record.</summary>
    [Theory]
    [InlineData(OrderActivities.SubmitChallenge)]
    [InlineData(OrderActivities.PollAuthorization)]
    public async Task Start_KilledAfterSubmission_NextStartFinishesTheOrderAndCleansUpAnHourLater(string step)
    {
        using var folder = new TemporaryFolder();
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { DnsServer = bind.Address.ToString() }, Cancelled);
        var settings = BindSettings.AtPebble(bind, pebble, folder.Combine("store"));
        settings["AcmeHttps:DomainNames:0"] = "*.example.test";
        await using (var killed = TestAppProcess.Start(settings, FreePort.Tcp(), killAt: step))
        {
            await killed.KilledAsync();
        }

        await using (var next = TestAppProcess.Start(settings, FreePort.Tcp()))
        {
            await next.ListeningAsync();
            await Poll.UntilAsync(
                async _ => await next.StateAsync("*.example.test") == "Valid",
                () => $"a valid certificate\n{next.Output}",
                cancellationToken: Cancelled);
            Assert.True(await next.StopAsync(), next.Output);
        }

        await SweptAnHourLaterAsync(folder.Combine("store"), bind);
    }

    private static async Task SweptAnHourLaterAsync(string store, BindServer bind)
    {
        using var storage = new FileSystemStorage(store, TimeProvider.System, NullLogger<FileSystemStorage>.Instance);
        await RecordNotes.AgeAsync(storage, TimeSpan.FromHours(1), Cancelled);
        await using var later = new DnsFixture(BindSettings.For(bind), bind.Address.Port, storage);
        await later.StartAsync(Cancelled);
        await Poll.UntilAsync(
            async token
                => (await TxtQuery.AskAsync(bind.Address, "_acme-challenge.example.test", token))
                    .Length == 0, () => $"the stale record to go\n{later.Log}", cancellationToken: Cancelled);
    }
}
