using System.Diagnostics;
using System.Globalization;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;

namespace KestrelAcme.Benchmarks.Cold;

/// <summary>
/// From the start of a process to its first HTTPS handshake with the right certificate: nothing stored, with Pebble without delays as the
/// CA, and restarted with the store; then memory at rest and after many handshakes. Rounds alternate, and each begins with another server.
/// </summary>
internal static class ColdReport
{
    private const int MemoryRounds = 3;
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    /// <param name="arguments">
    /// Rounds (15 by default), handshakes between the measurements of memory (10,000 by default), "native" for the native binaries and
    /// Caddy.
    /// </param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var rounds = arguments.Length > 0 ? int.Parse(arguments[0]) : 15;
        var handshakes = arguments.Length > 1 ? int.Parse(arguments[1]) : 10_000;
        var onlyNative = arguments.Length > 2 && arguments[2] == "native";
        using var folder = new TemporaryFolder();
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { Strict = false });
        var root = await pebble.GetIssuingRootPemAsync();
        var https = FreePort.Tcp();
        var client = new ColdClient(https, Contestants.Name);
        var contestants = await new Contestants(folder, pebble, root, https).PrepareAsync(onlyNative);

        // One round is thrown away: it warms the client and the system's cache.
        for (var round = -1; round < rounds; round++)
        {
            Console.Error.WriteLine($"round {round + 1} of {rounds}");
            foreach (var contestant in Rotated(contestants, round + 1))
            {
                using var store = new TemporaryFolder();
                var first = await StartAsync(contestant, store.Path, client);
                var again = await StartAsync(contestant, store.Path, client);
                if (round >= 0)
                {
                    contestant.First.Add(first);
                    contestant.Again.Add(again);
                }
            }
        }

        for (var round = 0; round < Math.Min(MemoryRounds, rounds) && handshakes > 0; round++)
        {
            Console.Error.WriteLine($"memory, round {round + 1}");
            foreach (var contestant in Rotated(contestants, round))
            {
                await MeasureMemoryAsync(contestant, client, handshakes);
            }
        }

        ColdTables.Print(contestants, handshakes);
        return 0;
    }

    private static IEnumerable<Contestant> Rotated(List<Contestant> contestants, int by)
        => Enumerable.Range(0, contestants.Count).Select(i => contestants[(i + by) % contestants.Count]);

    private static async Task<ColdStart> StartAsync(Contestant contestant, string store, ColdClient client)
    {
        // The benchmark's own garbage is not to be collected while it measures.
        GC.Collect();
        using var limit = new CancellationTokenSource(Longest, TimeProvider.System);
        var clock = Stopwatch.StartNew();
        await using var process = contestant.Start(store);
        try
        {
            await using var connection = await client.FirstAsync(contestant.RootPem, limit.Token);
            var seconds = clock.Elapsed.TotalSeconds;
            var processor = ProcessorSeconds(process.Id);
            var (methods, compiling) = contestant.IsDotNet ? await client.AskJitAsync(connection, limit.Token) : (0, 0);
            await process.StopAsync();
            return new ColdStart(seconds, processor, methods, compiling);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException(
                $"{contestant.Title}: no handshake with the right certificate. Output:\n{process.Output}", exception);
        }
    }

    private static async Task MeasureMemoryAsync(Contestant contestant, ColdClient client, int handshakes)
    {
        using var store = new TemporaryFolder();
        await StartAsync(contestant, store.Path, client);
        await using var process = contestant.Start(store.Path);
        await (await client.FirstAsync(contestant.RootPem, CancellationToken.None)).DisposeAsync();
        await Task.Delay(Rest, TimeProvider.System);
        contestant.AtRest.Add(ProcessMemory.Of(process.Id));
        await client.WorkAsync(handshakes, CancellationToken.None);
        await Task.Delay(Rest, TimeProvider.System);
        contestant.Worked.Add(ProcessMemory.Of(process.Id));
        await process.StopAsync();
    }

    // utime and stime of proc(5), in hundredths of a second on Linux.
    private static double ProcessorSeconds(int process)
    {
        var fields = File.ReadAllText($"/proc/{process}/stat").Split(") ")[^1].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
    }
}
