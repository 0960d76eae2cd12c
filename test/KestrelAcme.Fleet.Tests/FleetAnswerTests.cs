using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Fleet.Tests;

/// <summary>Whichever instance the CA reaches responds, also if the store was emptied meanwhile or reports changes late.</summary>
[Long]
public sealed class FleetAnswerTests(ITestOutputHelper output)
{
    private const string Name = "site.example.com";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fleet_RedisIsFlushedDuringAnOrder_OneCertificateAndNoFailedValidation()
    {
        await using var fleet = await Fleet.StartAsync(
            new FleetOptions("redis") { Size = 3, Names = [Name], ValidationSleep = TimeSpan.FromSeconds(6) });
        var holder = await Trouble.HolderAsync(fleet, Name);
        await Poll.UntilAsync(
            () => holder.Output.Contains("submitted", StringComparison.Ordinal), "the challenge to be submitted", cancellationToken: Token);

        await fleet.Store.EmptyAsync();

        await fleet.AllServeAsync([Name]);
        Assert.Contains("writes back", string.Concat(fleet.Instances.Select(i => i.AllOutput)), StringComparison.Ordinal);
        AssertCounts(fleet, 1);
    }

    [Fact]
    public async Task Fleet_RedisIsFlushedDuringARenewal_OneOrderAndNoCertificateIsLost()
    {
        await using var fleet = await Fleet.StartAsync(
            new FleetOptions("redis") { Size = 3, Names = [Name], ValidationSleep = TimeSpan.FromSeconds(4) });
        var before = await fleet.AllServeAsync([Name]);

        var renewal = fleet.Instances[0].PostAsync($"renew?name={Name}");
        var holder = await Trouble.HolderAsync(fleet, Name, orders: 2);
        await Poll.UntilAsync(
            () => Trouble.OfLastOrder(holder.AllOutput, Name).Contains("submitted", StringComparison.Ordinal),
            "the challenge to be submitted",
            cancellationToken: Token);
        await fleet.Store.EmptyAsync();

        // Whoever asked gets the new certificate, and the order that was under way is the one that brings it.
        var serial = await renewal;
        Assert.Equal(serial, (await fleet.AllServeAsync([Name], before))[Name]);
        Assert.Contains("writes back", string.Concat(fleet.Instances.Select(i => i.AllOutput)), StringComparison.Ordinal);
        AssertCounts(fleet, 2);

        // The store has it, too: an instance that knows nothing else serves it.
        var restarted = fleet.Instances[2];
        await restarted.KillAsync();
        restarted.Start();
        await restarted.ListeningAsync();
        Assert.Equal(serial, await restarted.ServedAsync(Name));
        AssertCounts(fleet, 2);
    }

    // Without notifications, an instance learns of a challenge seconds after the CA may connect to it.
    [Fact]
    public async Task Fleet_TlsAlpn01AndTheStoreIsPolled_NoFailedValidation()
    {
        await using var fleet = await Fleet.StartAsync(new FleetOptions("ef-core")
        {
            Size = 3,
            Names = [Name, "second.example.com", "third.example.com"],
            ChallengeType = "tls-alpn-01",
            Settings = new Dictionary<string, string?> { ["STORE_POLL_SECONDS"] = "5" },
        });

        await fleet.AllServeAsync([Name, "second.example.com", "third.example.com"]);
        AssertCounts(fleet, 3);
    }

    private void AssertCounts(Fleet fleet, int orders)
    {
        var counts = fleet.Count();
        output.WriteLine($"{counts}");
        var expected = new FleetCounts(Accounts: 1, Orders: orders, Certificates: orders, FailedValidations: 0);
        Assert.True(counts == expected, $"{counts} instead of {expected}.\n{fleet.Logs()}");
    }
}
