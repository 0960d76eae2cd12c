using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Fleet.Tests;

/// <summary>What tests of a fleet in trouble need: short times, who orders, and whether clients notice.</summary>
internal static class Trouble
{
    // A store whose leases outlive their holder makes the others wait for their end.
    public static IReadOnlyDictionary<string, string?> ShortTimes { get; } = new Dictionary<string, string?>
    {
        ["LEASE_SECONDS"] = "5",
        ["TURN_SECONDS"] = "3",
        ["STEADY_SECONDS"] = "1",
        ["REPOST_SECONDS"] = "2",
        ["STORE_SECONDS"] = "3",
        ["STORE_RETRY_SECONDS"] = "2",
        ["LOCAL_RETRY_SECONDS"] = "2",
        ["SAVE_AGAIN_SECONDS"] = "2",
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Skips what takes minutes, unless KESTRELACME_FLEET_TROUBLE is set.</summary>
    public static void SkipUnlessAskedFor() => Assert.SkipUnless(
        Environment.GetEnvironmentVariable("KESTRELACME_FLEET_TROUBLE") == "1", "Takes long: set KESTRELACME_FLEET_TROUBLE=1.");

    public static async Task<(int Made, int Failed)> CountHandshakesAsync(Fleet fleet, string name, CancellationToken stop)
    {
        var (made, failed) = (0, 0);
        while (!stop.IsCancellationRequested)
        {
            foreach (var instance in fleet.Instances)
            {
                made++;
                failed += await instance.ServedAsync(name) is null ? 1 : 0;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, stop)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return (made, failed);
    }

    /// <summary>Waits until an instance works on a name's order.</summary>
    public static async Task<FleetInstance> HolderAsync(Fleet fleet, string name, int orders = 1)
    {
        FleetInstance? holder = null;
        await Poll.UntilAsync(
            () =>
            {
                var line = $"{name}: ordering from";
                var begun = fleet.Instances.Where(i => i.AllOutput.Contains(line, StringComparison.Ordinal)).ToList();
                holder = begun.Sum(i => Occurrences(i.AllOutput, line)) >= orders ? begun.MaxBy(i => LastTime(i.AllOutput, line)) : null;
                return holder is not null;
            },
            () => $"somebody to order {name}\n{fleet.Logs()}",
            cancellationToken: Token);
        return holder!;
    }

    // Each line starts with the time of day.
    private static string LastTime(string text, string part)
    {
        var at = text.LastIndexOf(part, StringComparison.Ordinal);
        var line = text.LastIndexOf('\n', at) + 1;
        return text.Substring(line, Math.Min(12, text.Length - line));
    }

    public static bool IsInNewOrder(string text, string name)
    {
        var begun = text.LastIndexOf($"{name}: ordering from", StringComparison.Ordinal);
        return begun >= 0
            && text.IndexOf($"{name}: the order ", begun, StringComparison.Ordinal) < 0
            && text.IndexOf($"{name}: resuming the order ", begun, StringComparison.Ordinal) < 0;
    }

    private static int Occurrences(string text, string part) => text.Split(part).Length - 1;
}
