using System.Diagnostics;
using System.Net;
using System.Net.Security;
using KestrelAcme.Benchmarks.Handshakes;

namespace KestrelAcme.Benchmarks.Start;

/// <summary>
/// From the start of the process to its first HTTPS answer, and its working set: without KestrelAcme, with one stored
/// certificate, and with ten thousand.
/// </summary>
/// <remarks>
/// Each start is a process of its own; rounds alternate. The files were just written or read: the system's cache is warm.
/// </remarks>
internal static class StartReport
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is ["child", var what])
        {
            return await StartChild.RunAsync(what);
        }

        var rounds = arguments.Length > 0 ? int.Parse(arguments[0]) : 15;
        var many = arguments.Length > 1 ? int.Parse(arguments[1]) : 10_000;
        var root = Directory.CreateTempSubdirectory("kestrelacme-start").FullName;
        try
        {
            var one = Path.Combine(root, "one");
            var all = Path.Combine(root, "all");
            await StoredCertificates.WriteAsync(one, 1);
            await StoredCertificates.WriteAsync(all, many);
            Contestant[] contestants =
            [
                new("static certificate", StartChild.Static, 1), new("1 stored", one, 1), new($"{many} stored", all, many),
            ];
            for (var round = -1; round < rounds; round++)
            {
                foreach (var contestant in round % 2 == 0 ? contestants : contestants.Reverse())
                {
                    var start = await MeasureAsync(contestant, round);
                    if (round >= 0)
                    {
                        contestant.Starts.Add(start);
                    }
                }
            }

            Print(contestants);
            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task<Start> MeasureAsync(Contestant contestant, int round)
    {
        var self = Environment.ProcessPath!;
        var arguments = Path.GetFileNameWithoutExtension(self) == "dotnet"
            ? $"{typeof(StartReport).Assembly.Location} start child {contestant.What}"
            : $"start child {contestant.What}";
        var clock = Stopwatch.StartNew();
        using var child = Process.Start(
            new ProcessStartInfo(self, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var line = await child.StandardOutput.ReadLineAsync();
        var port = int.TryParse(line, out var number)
            ? number
            : throw new InvalidOperationException($"the application said '{line}' where its port was expected");

        // Another name each time: no place in the store is a better one.
        var answered = await AskAsync(port, StoredCertificates.Name((round + 1) * 7919 % contestant.Names)) == "Hello";
        var first = clock.Elapsed;
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);
        child.Refresh();
        var settled = child.WorkingSet64;
        answered &= await AskAsync(port, StoredCertificates.Name(0), "busy") == "209715200";
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);
        child.Refresh();
        var busy = child.WorkingSet64;
        child.StandardInput.Close();
        await child.WaitForExitAsync();
        return answered
            ? new Start(first.TotalMilliseconds, settled / 1048576.0, busy / 1048576.0)
            : throw new InvalidOperationException("the answer was not the application's");
    }

    private static async Task<string> AskAsync(int port, string name, string path = "")
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new System.Net.Sockets.Socket(
                    System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == $"CN={name}"
                    || certificate?.Subject == $"CN={StoredCertificates.Name(0)}",
            },
        };
        using var client = new HttpClient(handler);
        return await client.GetStringAsync(new Uri($"https://{name}:{port}/{path}"));
    }

    private static void Print(Contestant[] contestants)
    {
        Console.WriteLine($"{contestants[0].Starts.Count} rounds; medians (minimum to maximum).");
        Console.WriteLine();
        Console.WriteLine(
            "| application | first HTTPS answer, ms after the start of the process | beside one stored, ms | "
            + "working set 2 s later, MB | after it allocated 200 MB, MB |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var contestant in contestants)
        {
            var beside = contestant.Starts.Zip(contestants[1].Starts, (mine, one) => mine.Milliseconds - one.Milliseconds);
            Console.WriteLine(
                $"| {contestant.Title} | {Median(contestant.Starts.Select(s => s.Milliseconds))} | {Median(beside)} "
                + $"| {Median(contestant.Starts.Select(s => s.WorkingSet))} | {Median(contestant.Starts.Select(s => s.Busy))} |");
        }
    }

    private static string Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return $"{sorted[sorted.Length / 2]:0} ({sorted[0]:0} to {sorted[^1]:0})";
    }

    private sealed record Start(double Milliseconds, double WorkingSet, double Busy);

    private sealed record Contestant(string Title, string What, int Names)
    {
        public List<Start> Starts { get; } = [];
    }
}
