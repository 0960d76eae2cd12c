using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using KestrelAcme.Diagnostics;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Fleet.Tests;

/// <summary>Names that nobody configured, asked for at several instances with one store, some of which are killed meanwhile.</summary>
[Long]
public sealed partial class OnDemandFleetTests(ITestOutputHelper output)
{
    // After any of these, the next one, or another instance, finishes the order.
    private static readonly string[] Steps =
    [
        OrderActivities.AcquireLease, OrderActivities.ReadStore, OrderActivities.OpenAccount, OrderActivities.StoreIntent,
        OrderActivities.PlaceOrder, OrderActivities.StoreOrderUrl, OrderActivities.PrepareChallenge, OrderActivities.AwaitVisibility,
        OrderActivities.SubmitChallenge, OrderActivities.PollAuthorization, OrderActivities.CleanUpChallenges, OrderActivities.PollOrder,
        OrderActivities.FinalizeOrder, OrderActivities.StoreCertificateUrl, OrderActivities.DownloadCertificate,
        OrderActivities.StoreCertificate, OrderActivities.PublishCertificate, OrderActivities.StoreState,
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <remarks>KESTRELACME_ON_DEMAND_NAMES sets how many names there are (100): four connections ask for each.</remarks>
    [Fact]
    public async Task Connect_ManyNamesAtThreeInstances_OneOrderForEachName()
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("KESTRELACME_ON_DEMAND_NAMES") ?? "100", CultureInfo.InvariantCulture);
        await using var source = await PermissionSource.StartAsync();
        await using var fleet = await Fleet.StartAsync(Options("redis", 3, source) with { UsesLocalAuthority = true });
        var before = await fleet.Store.CountOperationsAsync();
        var started = Stopwatch.GetTimestamp();

        var clients = await Task.WhenAll(Enumerable.Range(0, 4 * count).Select(async i =>
        {
            var (name, instance) = ($"shop{i % count}.example.com", fleet.Instances[((i / count) + (i % count)) % 3]);
            var serial = await instance.ServedAsync(name);
            return (Name: name, Serial: serial, After: Stopwatch.GetElapsedTime(started));
        }));

        var operations = await fleet.Store.CountOperationsAsync() - before;
        var sorted = clients.Select(c => c.After.TotalSeconds).Order().ToList();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} names, {clients.Length} connections: {fleet.Count()}; served after {sorted[sorted.Count / 2]:0.0} s (median), "
            + $"{sorted[^1]:0.0} s (last); {operations} operations of the store; asked {source.Asked.Count} times"));
        Assert.True(clients.All(c => c.Serial is not null), $"{clients.Count(c => c.Serial is null)} were not served\n{fleet.Logs()}");
        Assert.All(clients.GroupBy(c => c.Name), g => Assert.Single(g.Select(c => c.Serial).Distinct()));
        Assert.Equal(count, clients.Select(c => c.Serial).Distinct().Count());
        Assert.Equal(new FleetCounts(Accounts: 1, Orders: count, Certificates: count, FailedValidations: 0), fleet.Count());
        Assert.InRange(source.Asked.Count, count, 3 * count);
    }

    [Theory]
    [InlineData("folder")]
    [InlineData("redis")]
    public async Task Kill_AtEachStepWhileAClientWaits_TheNextStartFinishesTheOrder(string store)
    {
        await using var source = await PermissionSource.StartAsync();
        await using var fleet = await Fleet.CreateAsync(Options(store, 1, source));
        var names = await StandStillAsync(fleet);

        var only = fleet.Instances[0];
        await only.KillAsync();
        only.Change("STAND_STILL", null);
        only.Start();
        await only.ListeningAsync();

        await fleet.AllServeAsync(names);
        AssertFinished(fleet);
    }

    [Fact]
    public async Task Kill_AtEachStepWhileClientsOfAnotherInstanceWait_ItFinishesTheOrder()
    {
        await using var source = await PermissionSource.StartAsync();
        await using var fleet = await Fleet.CreateAsync(Options("redis", 2, source));
        var other = fleet.Instances[1];
        other.Start();
        await other.ListeningAsync();
        var names = await StandStillAsync(fleet);
        var clients = names.Select(async name => (Name: name, Serial: await other.ServedAsync(name))).ToList();
        await Poll.UntilAsync(
            () => names.Zip(clients).All(
                c => c.Second.IsCompleted || other.Output.Contains($"{c.First}: another instance is ordering", StringComparison.Ordinal)),
            () => $"the other instance to see who orders\n{fleet.Logs()}",
            cancellationToken: Token);

        await fleet.Instances[0].KillAsync();

        // Whether the CA got the request for an order is not known: that counts as a failure, and the next client is served.
        var unknown = new[] { OrderActivities.StoreIntent, OrderActivities.PlaceOrder }.Select(NameOf).ToList();
        var served = await Task.WhenAll(clients);
        var refused = served.Where(s => s.Serial is null).Select(s => s.Name).Except(unknown).ToList();
        Assert.True(refused.Count == 0, $"{string.Join(", ", refused)} not served\n{fleet.Logs()}");
        foreach (var name in unknown)
        {
            await Poll.UntilAsync(
                async _ => await other.ServedAsync(name) is not null,
                () => $"{name} to be served\n{fleet.Logs()}",
                cancellationToken: Token);
        }

        AssertFinished(fleet);
    }

    // Returns when each name's order stands still after its own step, and a client waits for it.
    private static async Task<List<string>> StandStillAsync(Fleet fleet)
    {
        var names = Steps.Select(NameOf).ToList();
        var first = fleet.Instances[0];
        first.Change("STAND_STILL", string.Join(';', Steps.Select(step => $"{NameOf(step)}={step}")));
        first.Start();
        await first.ListeningAsync();
        _ = Task.WhenAll(names.Select(first.ServedAsync)).ContinueWith(static task => task.Exception, TaskScheduler.Default);
        var submitted = Steps.Length - Array.IndexOf(Steps, OrderActivities.SubmitChallenge);
        await Poll.UntilAsync(
            () => StillLine().Count(first.Output) == names.Count && ValidLine().Count(fleet.Authority.Log) >= submitted,
            () => $"all orders to stand still\n{fleet.Logs()}",
            cancellationToken: Token);
        return names;
    }

    // Only the order whose URL never arrived is placed again.
    private void AssertFinished(Fleet fleet)
    {
        var counts = fleet.Count();
        output.WriteLine(counts.ToString());
        Assert.Equal(new FleetCounts(Accounts: 1, Steps.Length + 1, Certificates: Steps.Length, FailedValidations: 0), counts);
    }

    private static FleetOptions Options(string store, int size, PermissionSource source) => new(store)
    {
        Size = size,
        Names = [],
        Settings = new Dictionary<string, string?>(Trouble.ShortTimes)
        {
            ["LEASE_SECONDS"] = "3",
            ["NAME_RETRY_SECONDS"] = "1",
            ["HANDSHAKE_SECONDS"] = "120",
            ["AcmeHttps__MaxConcurrentOrders"] = $"{Steps.Length}",
            ["AcmeHttps__OnDemand__AskUrl"] = source.Url,
            ["AcmeHttps__OnDemand__CheckAddress"] = "false",
            ["AcmeHttps__OnDemand__Wait"] = "00:02:00",
            ["AcmeHttps__OnDemand__MaxWaiting"] = "5000",
            ["AcmeHttps__OnDemand__MaxNewNamesPerHour"] = "5000",
            ["AcmeHttps__OnDemand__MaxNewNamesPerDay"] = "5000",
            ["AcmeHttps__OnDemand__MaxNewNamesPerRegisteredDomain"] = "5000",
            ["AcmeHttps__OnDemand__MaxNewNamesPerClientNetwork"] = "5000",
        },
    };

    private static string NameOf(string step) => $"{step.Replace('.', '-').Replace('_', '-')}.example.com";

    [GeneratedRegex("authz .* set VALID by")]
    private static partial Regex ValidLine();

    [GeneratedRegex("FleetApp: .* stands still after")]
    private static partial Regex StillLine();

    /// <summary>Allows every name, and notes which ones it was asked about.</summary>
    private sealed class PermissionSource(WebApplication app) : IAsyncDisposable
    {
        public ConcurrentQueue<string> Asked { get; } = new();

        public string Url => $"{app.Urls.First()}/ask";

        public static async Task<PermissionSource> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
            builder.Logging.ClearProviders();
            var source = new PermissionSource(builder.Build());
            await source.StartAppAsync();
            return source;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private Task StartAppAsync()
        {
            app.Urls.Add("http://127.0.0.1:0");
            app.MapGet("/ask", (string domain) =>
            {
                Asked.Enqueue(domain);
                return "yes";
            });
            return app.StartAsync(Token);
        }
    }
}
