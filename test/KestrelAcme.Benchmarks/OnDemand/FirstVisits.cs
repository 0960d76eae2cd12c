using System.Net;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Benchmarks.OnDemand;

/// <summary>
/// From the connect to the first bytes of the page: at the first visit of a new name, beside Caddy's with the same Pebble and the same
/// endpoint that is asked, and at the next ones. The servers run all the time, and take turns.
/// </summary>
internal static class FirstVisits
{
    private const int Repeats = 5;

    // Pebble validates all names at one port, so each server has an address of its own for that.
    private static readonly IPAddress OurAddress = IPAddress.Loopback;
    private static readonly IPAddress CaddyAddress = new([127, 0, 0, 2]);

    public static async Task<int> RunAsync(int rounds)
    {
        using var folder = new TemporaryFolder();
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { Strict = false });
        await using var asked = await StartAskedAsync();
        var askUrl = $"{asked.Urls.First()}/ask";
        var https = new IPEndPoint(IPAddress.Loopback, FreePort.Tcp());
        await using var ours = OnDemandServers.StartOurs(
            $"http://{OurAddress}:{pebble.HttpPort};https://{https}",
            (pebble.DirectoryUrl, pebble.TrustedRootsPath),
            folder.Combine("ours"),
            Settings(pebble, askUrl));
        List<Contestant> contestants = [new("ours", "k", OurAddress, new Visitor(https), ours)];
        await using var caddy = StartCaddy(pebble, askUrl, folder, contestants);
        await contestants[0].Visitor.UntilServedAsync(OnDemandServers.OwnName, ours);

        // The first round warms everything, and is thrown away.
        for (var round = 0; round <= rounds; round++)
        {
            Console.Error.WriteLine($"first visits, round {round} of {rounds}");
            foreach (var contestant in round % 2 == 0 ? contestants : contestants.AsEnumerable().Reverse())
            {
                await MeasureAsync(contestant, $"{contestant.Prefix}{round}.example", pebble, keep: round > 0);
            }
        }

        Print(contestants);
        return 0;
    }

    private static Dictionary<string, string> Settings(PebbleServer pebble, string askUrl) => new()
    {
        ["DnsResolvers__0"] = $"127.0.0.1:{pebble.Dns!.DnsPort}",
        ["OnDemand__AskUrl"] = askUrl,
        ["OnDemand__MaxNewNamesPerHour"] = "100000",
        ["OnDemand__MaxNewNamesPerDay"] = "100000",
        ["OnDemand__MaxNewNamesPerClientNetwork"] = "100000",
    };

    private static ChildProcess? StartCaddy(
        PebbleServer pebble, string askUrl, TemporaryFolder folder, List<Contestant> contestants)
    {
        if (Executable.Find("caddy") is not { } executable)
        {
            Console.Error.WriteLine("Caddy is not installed: nothing to compare with.");
            return null;
        }

        var https = new IPEndPoint(IPAddress.Loopback, FreePort.Tcp());
        var caddy = OnDemandServers.StartCaddy(executable, https, new IPEndPoint(CaddyAddress, pebble.HttpPort), pebble, askUrl, folder);
        contestants.Add(new("Caddy", "c", CaddyAddress, new Visitor(https), caddy));
        return caddy;
    }

    private static async Task<WebApplication> StartAskedAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/ask", static () => "yes");
        await app.StartAsync();
        return app;
    }

    private static async Task MeasureAsync(Contestant contestant, string name, PebbleServer pebble, bool keep)
    {
        await pebble.Dns!.SetAddressesAsync(name, [contestant.Address.ToString()]);
        if (!keep)
        {
            // It may just be starting.
            await contestant.Visitor.UntilServedAsync(name, contestant.Process);
            return;
        }

        // The benchmark's own garbage is not to be collected while it measures.
        GC.Collect();
        var first = await ServedAsync(contestant, name);
        contestant.First.Add(first.Total);
        for (var i = 0; i < Repeats; i++)
        {
            contestant.Next.Add((await ServedAsync(contestant, name)).Total);
            if (contestant.Address.Equals(OurAddress))
            {
                contestant.Ordinary.Add((await ServedAsync(contestant, OnDemandServers.OwnName)).Total);
            }
        }
    }

    private static async Task<Visit> ServedAsync(Contestant contestant, string name)
    {
        var visit = await contestant.Visitor.VisitAsync(name);
        return visit.Served ? visit : throw new InvalidOperationException(
            $"{contestant.Title} does not serve {name}: {visit.Answer}, after {visit.Total:0} ms. Output:\n{contestant.Process.Output}");
    }

    private static void Print(List<Contestant> contestants)
    {
        Console.WriteLine(
            $"{contestants[0].First.Count} rounds; from the connect to the first bytes of the page; medians (minimum to maximum).");
        Console.WriteLine();
        Console.WriteLine("| server | first visit, ms | next visits, ms | visits of a configured name, ms |");
        Console.WriteLine("|---|---|---|---|");
        foreach (var server in contestants)
        {
            Console.WriteLine(
                $"| {server.Title} | {OnDemandReport.Span(server.First)} | {OnDemandReport.Span(server.Next)} "
                + $"| {(server.Ordinary.Count == 0 ? "" : OnDemandReport.Span(server.Ordinary))} |");
        }

        Console.WriteLine();
        var ours = contestants[0];
        Console.WriteLine("| in this run | figure | goal |");
        Console.WriteLine("|---|---|---|");
        Console.WriteLine($"| first visit, ms | {OnDemandReport.Text(OnDemandReport.Middle(ours.First))} | 400 |");
        if (contestants.Count > 1)
        {
            Console.WriteLine($"| first visit, beside Caddy | {Ratio(ours.First, contestants[1].First)} | 1.5 |");
        }

        Console.WriteLine($"| next visits, beside those of a configured name | {Ratio(ours.Next, ours.Ordinary)} | 1.0 |");
        Console.WriteLine();
    }

    private static string Ratio(List<double> some, List<double> others)
        => OnDemandReport.Text(OnDemandReport.Middle(some) / OnDemandReport.Middle(others), "0.00");

    private sealed record Contestant(string Title, string Prefix, IPAddress Address, Visitor Visitor, ChildProcess Process)
    {
        public List<double> First { get; } = [];

        public List<double> Next { get; } = [];

        public List<double> Ordinary { get; } = [];
    }
}
