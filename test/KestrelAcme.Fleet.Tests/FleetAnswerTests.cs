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
