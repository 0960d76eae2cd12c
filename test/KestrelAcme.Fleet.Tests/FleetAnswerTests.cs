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
        await Poll.UntilAsync(
            () => Submitted(fleet) > 0, () => $"the challenge to be submitted\n{fleet.Logs()}", cancellationToken: Token);
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

        // Pebble reuses one valid authorization in a hundred even if it is told to reuse none: that renewal has no challenge.
        var certificates = 2;
        Task<string> renewal;
        for (; ; certificates++)
        {
            var submitted = Submitted(fleet);
            renewal = fleet.Instances[0].PostAsync($"renew?name={Name}");
            await Poll.UntilAsync(
                () => renewal.IsCompleted || Submitted(fleet) > submitted,
                () => $"the challenge to be submitted\n{fleet.Logs()}",
                cancellationToken: Token);
            if (!renewal.IsCompletedSuccessfully)
            {
                break;
            }

            before = await fleet.AllServeAsync([Name], before);
        }

        await fleet.Store.EmptyAsync();

        // Whoever asked gets the new certificate, and the order that was under way is the one that brings it.
        await Poll.UntilAsync(
            () => renewal.IsCompleted, () => $"the renewal\n{fleet.Logs()}", TimeSpan.FromSeconds(90), Token);
        var serial = await (renewal.IsFaulted && fleet.CountHasty() > 0 ? fleet.Instances[0].PostAsync($"renew?name={Name}") : renewal);
        Assert.Equal(serial, (await fleet.AllServeAsync([Name], before))[Name]);
        Assert.Contains("writes back", string.Concat(fleet.Instances.Select(i => i.AllOutput)), StringComparison.Ordinal);
        AssertCounts(fleet, certificates);

        // The store has it, too: an instance that knows nothing else serves it.
        var restarted = fleet.Instances[2];
        await restarted.KillAsync();
        restarted.Start();
        await restarted.ListeningAsync();
        Assert.Equal(serial, await restarted.ServedAsync(Name));
        AssertCounts(fleet, certificates);
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

    // Whoever orders in the end: on a busy machine, one that has begun may lose its lease to another.
    private static int Submitted(Fleet fleet)
        => fleet.Instances.Sum(i => i.AllOutput.Split("submitted the http-01 challenge").Length - 1);

    // A validation may fail only if an instance did not confirm in time. No other failure is allowed, and no certificate more.
    private void AssertCounts(Fleet fleet, int certificates)
    {
        var counts = fleet.Count();
        var hasty = fleet.CountHasty();
        output.WriteLine($"{counts}, {hasty} did not wait for all others");
        var failed = Math.Min(counts.FailedValidations, hasty);
        var expected = new FleetCounts(1, certificates + failed, certificates, failed);
        Assert.True(counts == expected, $"{counts} instead of {expected}, {hasty} did not wait for all others.\n{fleet.Logs()}");
    }
}
