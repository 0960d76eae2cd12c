using System.Globalization;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Fleet.Tests;

/// <summary>
/// Five instances behind a random balancer: one order for each name, and all of them answer the challenges and serve the result.
/// </summary>
/// <remarks>
/// tls-alpn-01 with EF Core, Blob Storage and Key Vault runs only with KESTRELACME_FLEET_TROUBLE=1 (see <see cref="FleetTroubleTests"/>),
/// because each row takes half a minute.
/// </remarks>
[Long]
public sealed class FleetTests(ITestOutputHelper output)
{
    // Notices take milliseconds.
    private static readonly TimeSpan LongestLag = TimeSpan.FromSeconds(5);

    // Azure has no notices: while others order, an instance looks every second, and every three if nothing has come for ten.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(3);

    public static TheoryData<string> Kinds => SharedStore.Kinds;

    public static TheoryData<string> PolledKinds => SharedStore.PolledKinds;

    public static TheoryData<string> AllKinds => SharedStore.AllKinds;

    [Theory]
    [MemberData(nameof(AllKinds))]
    public Task Start_FiveAtOnceWithHttp01_OneOrderForEachName(string store) => StartAndRenewAsync(store, "http-01");

    [Theory]
    [MemberData(nameof(Kinds))]
    public Task Start_FiveAtOnceWithTlsAlpn01_OneOrderForEachName(string store) => StartAndRenewAsync(store, "tls-alpn-01");

    // No TLS handshake looks into the store: an instance has to hear of each challenge in time, by polling.
    [Theory]
    [MemberData(nameof(PolledKinds))]
    public Task Start_FiveAtOnceWithTlsAlpn01AndAPolledStore_OneOrderForEachName(string store)
    {
        Trouble.SkipUnlessAskedFor();
        return StartAndRenewAsync(store, "tls-alpn-01");
    }

    private async Task StartAndRenewAsync(string store, string challengeType)
    {
        var options = new FleetOptions(store) { ChallengeType = challengeType };
        await using var fleet = await Fleet.StartAsync(options);
        var serials = await fleet.AllServeAsync(options.Names);

        AssertCounts(fleet, certificates: 20);
        var longestLag = store.StartsWith("azure", StringComparison.Ordinal) ? LongestLag + LongestPause : LongestLag;
        Report("first", await fleet.LagsAsync(serials.Values), longestLag);

        // Renewed by whichever instance is asked.
        await Task.WhenAll(options.Names.Select((name, i) => RenewAsync(fleet, fleet.Instances[i % fleet.Instances.Count], name)));
        var renewed = await fleet.AllServeAsync(options.Names, serials);

        AssertCounts(fleet, certificates: 40);
        Report("renewed", await fleet.LagsAsync(renewed.Values), longestLag);
        output.WriteLine(fleet.Store.DescribeLoad());
    }

    // A validation may fail only on a machine so busy that an instance was not waited for; its order is placed again.
    private void AssertCounts(Fleet fleet, int certificates)
    {
        var (counts, hasty) = (fleet.Count(), fleet.CountHasty());
        output.WriteLine($"{counts}, {hasty} did not wait for all others");
        var failed = Math.Min(counts.FailedValidations, hasty);
        var expected = new FleetCounts(1, certificates + failed, certificates, failed);
        Assert.True(counts == expected, $"{counts} instead of {expected}, {hasty} did not wait for all others.\n{fleet.Logs()}");
    }

    private static async Task RenewAsync(Fleet fleet, FleetInstance instance, string name)
    {
        for (var mayFail = true; ; mayFail = false)
        {
            try
            {
                await instance.PostAsync($"renew?name={name}");
                return;
            }
            catch (HttpRequestException) when (mayFail && fleet.CountHasty() > 0)
            {
                // See AssertCounts.
            }
            catch (HttpRequestException exception)
            {
                Assert.Fail($"{name} was not renewed by instance {instance.Number}: {exception.Message}\n{fleet.Logs()}");
            }
        }
    }

    // On a machine whose processors have more than two processes each to run, everything takes as much longer.
    private void Report(string what, IReadOnlyList<TimeSpan> lags, TimeSpan longestLag)
    {
        var sorted = lags.Order().ToList();
        longestLag *= Math.Max(1, ProcessesForEachProcessor() / 2);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: served {sorted[sorted.Count / 2].TotalMilliseconds:0} ms after the first instance (median), "
            + $"{sorted[^1].TotalMilliseconds:0} ms at most ({longestLag.TotalSeconds:0.#} s allowed)"));
        Assert.True(
            sorted[^1] < longestLag, $"One instance served a certificate {sorted[^1]} after another one ({longestLag} allowed).");
    }

    // The average of the last minute.
    private static double ProcessesForEachProcessor()
        => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture) / Environment.ProcessorCount;
}
