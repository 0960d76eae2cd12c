using System.Diagnostics;
using System.Globalization;
using System.Net;
using KestrelAcme.LocalAuthority;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Benchmarks.OnDemand;

/// <summary>
/// Many new names within a few seconds, over more connections than names: the orders at the CA, and the handshakes of the app's own name
/// before and meanwhile.
/// </summary>
/// <remarks>
/// The app is a process of its own. The clients and the local authority share the benchmark's, so each handshake that is measured also
/// waits for them.
/// </remarks>
internal static class ManyNames
{
    private const int HandshakesBefore = 200;
    private const int WaitSeconds = 240;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(3);

    public static async Task<int> RunAsync(int names, int connections, int seconds)
    {
        using var folder = new TemporaryFolder();
        await using var authority = await LocalAcmeAuthority.StartAsync(static options => options.InMemory = true);
        var http = new IPEndPoint(IPAddress.Loopback, FreePort.Tcp());
        var https = new IPEndPoint(IPAddress.Loopback, FreePort.Tcp());
        authority.Resolve("*", http);
        await using var app = OnDemandServers.StartOurs(
            $"http://{http};https://{https}",
            (authority.DirectoryUrl, folder.Write("root.pem", authority.RootPem)),
            folder.Combine("store"),
            Settings(connections),
            WaitSeconds);
        var visitor = new Visitor(https);
        await visitor.UntilServedAsync(OnDemandServers.OwnName, app);

        Console.Error.WriteLine("many names: handshakes before");
        await visitor.HandshakesAsync(OnDemandServers.OwnName, static times => times.Count >= HandshakesBefore);
        var before = await visitor.HandshakesAsync(OnDemandServers.OwnName, static times => times.Count >= HandshakesBefore);
        Console.Error.WriteLine($"many names: {connections} connections");
        var clock = Stopwatch.StartNew();
        var all = VisitAllAsync(visitor, names, connections, TimeSpan.FromSeconds(seconds));
        var meanwhile = await visitor.HandshakesAsync(OnDemandServers.OwnName, _ => all.IsCompleted);
        var (visits, asking) = await all;
        var elapsed = clock.Elapsed;
        await RestAsync(authority, names, app);
        Print(names, visits, asking, elapsed, Count(authority));
        PrintHandshakes(before, meanwhile);
        return 0;
    }

    private static Dictionary<string, string> Settings(int connections) => new()
    {
        ["MaxConcurrentOrders"] = "16",
        ["OnDemand__CheckAddress"] = "false",
        ["OnDemand__Wait"] = TimeSpan.FromSeconds(WaitSeconds).ToString("c", CultureInfo.InvariantCulture),
        ["OnDemand__MaxWaiting"] = connections.ToString(CultureInfo.InvariantCulture),
        ["OnDemand__MaxNewNamesPerHour"] = "100000",
        ["OnDemand__MaxNewNamesPerDay"] = "100000",
        ["OnDemand__MaxNewNamesPerRegisteredDomain"] = "100000",
        ["OnDemand__MaxNewNamesPerClientNetwork"] = "100000",
    };

    // All names come once before one comes again, and every connection begins at its time whether the others were served or not.
    private static async Task<(Visit[] Visits, TimeSpan Asking)> VisitAllAsync(
        Visitor visitor, int names, int connections, TimeSpan duration)
    {
        var visits = new Task<Visit>[connections];
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < connections; i++)
        {
            while (clock.Elapsed < duration * i / connections)
            {
                await Task.Delay(Tick, TimeProvider.System);
            }

            visits[i] = visitor.VisitAsync($"n{i % names}.{OnDemandServers.Allowed}");
        }

        var asking = clock.Elapsed;
        return (await Task.WhenAll(visits), asking);
    }

    // Orders go on when nobody waits for them.
    private static async Task RestAsync(LocalAcmeAuthority authority, int names, ChildProcess app)
    {
        var clock = Stopwatch.StartNew();
        while (Count(authority).Names < names && clock.Elapsed < LongestRest && !app.HasExited)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        }
    }

    // Without the app's own name.
    private static Counts Count(LocalAcmeAuthority authority)
    {
        var issued = authority.Issued.Where(certificate => certificate.Identifiers[0] != OnDemandServers.OwnName).ToList();
        return new Counts(
            authority.Requests.Count(request => request is { Resource: ResourceKind.NewOrder, StatusCode: 201 }) - 1,
            issued.Count,
            issued.SelectMany(certificate => certificate.Identifiers).Distinct().Count());
    }

    private static void Print(int names, Visit[] visits, TimeSpan asking, TimeSpan elapsed, Counts counts)
    {
        var served = visits.Where(visit => visit.Served).Select(visit => visit.Total / 1000).ToList();
        Console.WriteLine(
            $"{visits.Length:N0} connections for {names:N0} names within {OnDemandReport.Text(asking.TotalSeconds)} s; "
            + $"the last was answered after {OnDemandReport.Text(elapsed.TotalSeconds)} s.");
        Console.WriteLine();
        Console.WriteLine("| in this run | figure | goal |");
        Console.WriteLine("|---|---|---|");
        Console.WriteLine($"| orders at the CA | {counts.Orders:N0} | {names:N0} |");
        Console.WriteLine($"| certificates issued | {counts.Certificates:N0} | {names:N0} |");
        Console.WriteLine($"| names with more than one certificate | {counts.Certificates - counts.Names:N0} | 0 |");
        Console.WriteLine($"| connections served | {served.Count:N0} | {visits.Length:N0} |");
        Console.WriteLine($"| their wait, s | {OnDemandReport.Span(served)} |  |");
        foreach (var failure in visits.Where(visit => !visit.Served).GroupBy(visit => visit.Answer))
        {
            Console.Error.WriteLine($"{failure.Count()} not served: {failure.Key}");
        }
    }

    private static void PrintHandshakes(List<double> before, List<double> meanwhile)
    {
        var ratio = OnDemandReport.Middle(meanwhile) / OnDemandReport.Middle(before);
        Console.WriteLine($"| {before.Count} handshakes of the app's own name before, ms | {OnDemandReport.Span(before)} |  |");
        Console.WriteLine($"| {meanwhile.Count} meanwhile, ms | {OnDemandReport.Span(meanwhile)} |  |");
        Console.WriteLine($"| median meanwhile, beside before | {OnDemandReport.Text(ratio, "0.00")} | 2.0 |");
        Console.WriteLine();
    }

    private sealed record Counts(int Orders, int Certificates, int Names);
}
