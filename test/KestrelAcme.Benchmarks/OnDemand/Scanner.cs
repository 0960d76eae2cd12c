using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelAcme.Benchmarks.Cold;
using KestrelAcme.LocalAuthority;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Tests.Tls;

namespace KestrelAcme.Benchmarks.OnDemand;

/// <summary>
/// A scanner that sends ClientHellos with ever new random names, as fast as its connections can, while new customers come: with the
/// defaults of the limits, except that there is no DNS to check.
/// </summary>
internal static class Scanner
{
    private const int Samples = 4;
    private const string Placeholder = "0000000000000000";
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);
    private static readonly byte[] Hello = ClientHelloBuilder.For($"{Placeholder}.scanned.example").Build();
    private static readonly int NameOffset = Hello.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Placeholder));

    public static async Task<int> RunAsync(int seconds, int connections)
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
            new() { ["OnDemand__CheckAddress"] = "false" });
        var visitor = new Visitor(https);
        await visitor.UntilServedAsync(OnDemandServers.OwnName, app);
        await Task.Delay(Rest, TimeProvider.System);
        var ordersBefore = Orders(authority);
        List<(string When, ProcessMemory Memory)> memory = [("before", ProcessMemory.Of(app.Id))];

        using var over = new CancellationTokenSource();
        var tally = new Tally();
        var clock = Stopwatch.StartNew();
        var scanners = Enumerable.Range(0, connections).Select(i => Task.Run(() => ScanAsync(i, https, tally, over.Token))).ToList();
        List<(int Visits, double Milliseconds)> customers = [];
        for (var i = 1; i <= Samples; i++)
        {
            // A customer in the middle of each quarter, a look at the memory at its end.
            await UntilAsync(clock, TimeSpan.FromSeconds(seconds * (i - 0.5) / Samples));
            customers.Add(await visitor.UntilServedAsync($"c{i}.{OnDemandServers.Allowed}", app));
            await UntilAsync(clock, TimeSpan.FromSeconds(seconds * (double)i / Samples));
            memory.Add(($"after {OnDemandReport.Text(clock.Elapsed.TotalSeconds, "0")} s", ProcessMemory.Of(app.Id)));
        }

        await over.CancelAsync();
        await Task.WhenAll(scanners);
        var elapsed = clock.Elapsed;
        await Task.Delay(Rest, TimeProvider.System);
        memory.Add(($"{Rest.TotalSeconds:0} s later", ProcessMemory.Of(app.Id)));
        Print(tally, elapsed, Orders(authority) - ordersBefore - customers.Count, customers);
        PrintMemory(memory, app);
        return 0;
    }

    // Each scanner has a source address of its own, and resets its connections: ports would run out otherwise.
    private static async Task ScanAsync(int number, IPEndPoint server, Tally tally, CancellationToken over)
    {
        var source = new IPEndPoint(new IPAddress([127, 0, (byte)(1 + number / 200), (byte)(1 + number % 200)]), 0);
        var hello = Hello.ToArray();
        var answer = new byte[512];
        while (!over.IsCancellationRequested)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            {
                NoDelay = true,
                LingerState = new LingerOption(true, 0),
            };
            Random.Shared.NextInt64().TryFormat(hello.AsSpan(NameOffset, Placeholder.Length), out _, "x16");
            try
            {
                socket.Bind(source);
                await socket.ConnectAsync(server, over);
                await socket.SendAsync(hello, over);
                tally.Add(await socket.ReceiveAsync(answer, over), answer[0]);
            }
            catch (SocketException)
            {
                tally.Add(0, 0);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private static async Task UntilAsync(Stopwatch clock, TimeSpan moment)
    {
        if (moment - clock.Elapsed is { Ticks: > 0 } rest)
        {
            await Task.Delay(rest, TimeProvider.System);
        }
    }

    private static int Orders(LocalAcmeAuthority authority)
        => authority.Requests.Count(request => request is { Resource: ResourceKind.NewOrder, StatusCode: 201 });

    private static void Print(Tally tally, TimeSpan elapsed, int orders, List<(int Visits, double Milliseconds)> customers)
    {
        var visits = customers.Sum(customer => customer.Visits);
        Console.WriteLine(
            $"{tally.All:N0} random names within {OnDemandReport.Text(elapsed.TotalSeconds)} s, "
            + $"{OnDemandReport.Text(tally.All / elapsed.TotalSeconds, "N0")} a second: {tally.Alerts:N0} got an alert, "
            + $"{tally.Closed:N0} were closed, {tally.Handshakes:N0} got the start of a handshake.");
        Console.WriteLine();
        Console.WriteLine("| in this run | figure | goal |");
        Console.WriteLine("|---|---|---|");
        Console.WriteLine($"| orders for random names | {orders} | 0 |");
        Console.WriteLine(
            $"| {customers.Count} new names meanwhile, served at visit {visits / (double)customers.Count:0.0} on average, s "
            + $"| {OnDemandReport.Span(customers.ConvertAll(c => c.Milliseconds / 1000))} | 3.0 |");
    }

    private static void PrintMemory(List<(string When, ProcessMemory Memory)> samples, ChildProcess app)
    {
        Console.WriteLine($"| lines logged | {app.Lines.Count} |  |");
        Console.WriteLine();
        Console.WriteLine("| memory of the app | resident, MB | private, MB |");
        Console.WriteLine("|---|---|---|");
        foreach (var (when, memory) in samples)
        {
            Console.WriteLine($"| {when} | {OnDemandReport.Text(memory.Resident, "0")} | {OnDemandReport.Text(memory.Private, "0")} |");
        }

        Console.WriteLine();
    }

    private sealed class Tally
    {
        private const byte Alert = 21;
        private long _alerts;
        private long _closed;
        private long _handshakes;

        public long Alerts => Interlocked.Read(ref _alerts);

        public long Closed => Interlocked.Read(ref _closed);

        public long Handshakes => Interlocked.Read(ref _handshakes);

        public long All => Alerts + Closed + Handshakes;

        public void Add(int length, byte first)
        {
            if (length == 0)
            {
                Interlocked.Increment(ref _closed);
            }
            else if (first == Alert)
            {
                Interlocked.Increment(ref _alerts);
            }
            else
            {
                Interlocked.Increment(ref _handshakes);
            }
        }
    }
}
