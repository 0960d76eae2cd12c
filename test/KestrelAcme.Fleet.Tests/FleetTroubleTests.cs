using System.Globalization;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Fleet.Tests;

/// <summary>Instances that die, stand still, or lose their store in the middle of an order.</summary>
/// <remarks>
/// They take twenty minutes, and run only with KESTRELACME_FLEET_TROUBLE=1. KESTRELACME_KILLS sets how many instances are killed (8),
/// KESTRELACME_SEED at which moments, and KESTRELACME_OUTAGE_SECONDS how long the store is away (15).
/// </remarks>
[Long]
public sealed class FleetTroubleTests
{
    private readonly ITestOutputHelper _output;

    public FleetTroubleTests(ITestOutputHelper output)
    {
        _output = output;
        Trouble.SkipUnlessAskedFor();
    }

    public static TheoryData<string> Kinds => SharedStore.AllKinds;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Order_HolderKilledAgainAndAgain_OneCertificateForEachName(string store)
    {
        var names = Enumerable.Range(1, Number("KESTRELACME_KILLS", 8)).Select(i => $"killed{i:00}.example.com").ToList();
        await using var fleet = await Fleet.StartAsync(new FleetOptions(store)
        {
            Names = ["first.example.com"],
            ValidationSleep = TimeSpan.FromSeconds(2),
            Settings = Trouble.ShortTimes,
        });
        await fleet.AllServeAsync(["first.example.com"]);
        var random = new Random(Number("KESTRELACME_SEED", 8555));
        var (inNewOrder, cutOff, cutKills) = (0, 0, 0);
        foreach (var (i, name) in names.Index())
        {
            await fleet.Instances[i % fleet.Instances.Count].PostAsync($"add?name={name}");
            var holder = await Trouble.HolderAsync(fleet, name);
            await Task.Delay(TimeSpan.FromSeconds(1.5) * random.NextDouble(), TimeProvider.System, Token);
            var before = CutOff(holder);
            await holder.KillAsync();
            inNewOrder += names.Count(n => Trouble.IsInNewOrder(holder.Output, n));
            holder.Start();
            await holder.ListeningAsync();
            var cut = CutOff(holder) - before;
            (cutOff, cutKills) = (cutOff + cut, cutKills + (cut > 0 ? 1 : 0));
        }

        await fleet.AllServeAsync([.. names, "first.example.com"], timeout: TimeSpan.FromMinutes(4));
        var counts = fleet.Count();
        _output.WriteLine(
            $"{names.Count} kills of {store}, {inNewOrder} of them perhaps within newOrder, {cutKills} of them while the CA was connected "
            + $"({cutOff} connections): {counts}");
        Assert.Equal(names.Count + 1, counts.Certificates);
        Assert.Equal(1, counts.Accounts);
        // A validation fails only if the kill closed the CA's own connection (it makes three for each), and its order is lost with it.
        Assert.True(
            counts.FailedValidations <= cutOff,
            $"{counts.FailedValidations} validations failed, but only {cutOff} connections of the CA were cut.\n{fleet.Logs()}");
        Assert.InRange(counts.Orders, names.Count + 1, names.Count + 1 + inNewOrder + counts.FailedValidations);
        Assert.All(fleet.Instances, i => Assert.DoesNotContain("damaged", i.AllOutput, StringComparison.OrdinalIgnoreCase));

        int CutOff(FleetInstance instance) => fleet.Balancer.CountCutOff(fleet.Authority.HttpPort, instance.Number - 1);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Order_HolderStandsStillPastItsLease_OneCertificateAndOneSerial(string store)
    {
        const string Name = "paused.example.com";
        await using var fleet = await Fleet.StartAsync(new FleetOptions(store)
        {
            Size = 3,
            Names = ["first.example.com"],
            ValidationSleep = TimeSpan.FromSeconds(2),
            Settings = Trouble.ShortTimes,
        });
        await fleet.AllServeAsync(["first.example.com"]);
        await fleet.Instances[0].PostAsync($"add?name={Name}");
        var holder = await Trouble.HolderAsync(fleet, Name);
        // Later than the validations: the balancer would lead them to an instance that accepts connections and answers nothing.
        await Poll.UntilAsync(
            () => holder.Output.Contains($"{Name}: the CA validated", StringComparison.Ordinal),
            "the validation",
            cancellationToken: Token);
        holder.Pause();

        var others = fleet.Instances.Where(i => i != holder).ToList();
        string?[] served = [];
        await Poll.UntilAsync(
            async _ => (served = await Task.WhenAll(others.Select(i => i.ServedAsync(Name)))).All(s => s is not null),
            () => $"the others to finish the order ({string.Join(", ", served.Select(s => s ?? "none"))})\n{fleet.Logs()}",
            TimeSpan.FromMinutes(2),
            Token);
        holder.Continue();

        await fleet.AllServeAsync([Name]);
        // What the former holder does after it woke up, it has done when it serves the others' certificate and plans the next look.
        await Poll.UntilAsync(
            async _ => (await holder.StatusAsync()).GetValueOrDefault(Name)?.StartsWith("Valid ", StringComparison.Ordinal) == true,
            () => $"the former holder to be done\n{fleet.Logs()}",
            cancellationToken: Token);
        var counts = fleet.Count();
        _output.WriteLine(counts.ToString());
        Assert.Equal(new FleetCounts(Accounts: 1, Orders: 2, Certificates: 2, FailedValidations: 0), counts);
        Assert.Single((await fleet.AllServeAsync([Name])).Values);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Renewal_StoreUnreachable_NoHandshakeFailsAndNothingIsLost(string store)
    {
        const string Name = "outage.example.com";
        await using var fleet = await Fleet.StartAsync(new FleetOptions(store)
        {
            Size = 3,
            Names = [Name],
            ValidationSleep = TimeSpan.FromSeconds(2),
            Settings = Trouble.ShortTimes,
        });
        var before = await fleet.AllServeAsync([Name]);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var handshakes = Trouble.CountHandshakesAsync(fleet, Name, stop.Token);

        var renewal = fleet.Instances[0].PostAsync($"renew?name={Name}");
        var holder = await Trouble.HolderAsync(fleet, Name, orders: 2);
        await fleet.Store.BreakAsync();
        await Task.Delay(TimeSpan.FromSeconds(Number("KESTRELACME_OUTAGE_SECONDS", 15)), TimeProvider.System, Token);
        await fleet.Store.RestoreAsync();

        var after = await fleet.AllServeAsync([Name], before, TimeSpan.FromMinutes(4));
        await Task.WhenAny(renewal);
        await stop.CancelAsync();
        var (made, failed) = await handshakes;
        _output.WriteLine($"{made} handshakes, {failed} failed; {fleet.Count()}; {before[Name]} to {after[Name]} by {holder.Number}");
        Assert.True(made > 10, $"Only {made} handshakes were made: they show nothing.");
        Assert.Equal(0, failed);

        // If the store went away while the order was placed, its URL was kept in memory.
        Assert.Equal(new FleetCounts(Accounts: 1, Orders: 2, Certificates: 2, FailedValidations: 0), fleet.Count());
    }

    private static int Number(string variable, int standard)
        => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : standard;
}
