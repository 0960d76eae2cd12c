using System.Globalization;

namespace KestrelAcme.Benchmarks.Cold;

/// <summary>Prints what was measured as the tables of README.md, and the ratios that are to hold.</summary>
internal static class ColdTables
{
    public static void Print(List<Contestant> contestants, int handshakes)
    {
        Console.WriteLine($"{contestants[0].First.Count} rounds; medians (minimum to maximum).");
        Console.WriteLine();
        Console.WriteLine(
            "| server | first start, s | processor, s | methods compiled | restart, s | processor, s | methods compiled | on disk, MB |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var server in contestants)
        {
            Console.WriteLine(
                $"| {server.Title} | {Starts(server.First)} | {Starts(server.Again)} "
                + $"| {(server.Files.Count == 0 ? "" : Number(server.Megabytes, "0.0"))} |");
        }

        Console.WriteLine();
        if (contestants.TrueForAll(c => c.AtRest.Count > 0))
        {
            PrintMemory(contestants, handshakes);
        }

        PrintRatios(contestants);
    }

    private static void PrintMemory(List<Contestant> contestants, int handshakes)
    {
        Console.WriteLine(
            $"| server, restarted | resident at rest, MB | private, MB | resident after {handshakes:N0} handshakes, MB | private, MB |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var server in contestants)
        {
            Console.WriteLine($"| {server.Title} | {Memory(server.AtRest)} | {Memory(server.Worked)} |");
        }

        Console.WriteLine();
    }

    private static void PrintRatios(List<Contestant> contestants)
    {
        Console.WriteLine("| in this run | figure | goal |");
        Console.WriteLine("|---|---|---|");
        if (Find(Contestant.OursJit) is { } jit && Find(Contestant.WithoutJit) is { } withoutJit)
        {
            Console.WriteLine($"| JIT: first start, beside the app without us | {Ratio(jit.First, withoutJit.First)} | 1.6 |");
            Console.WriteLine($"| JIT: restart, beside the app without us | {Ratio(jit.Again, withoutJit.Again)} | 1.15 |");
            Console.WriteLine($"| JIT: methods compiled, first start | {Methods(jit.First)} | 4,000 |");
            Console.WriteLine($"| JIT: methods compiled, restart | {Methods(jit.Again)} | 2,000 |");
        }

        if (Find(Contestant.OursNative) is { } native && Find(Contestant.WithoutNative) is { } without)
        {
            Console.WriteLine($"| NativeAOT: size of the binary, MB | {Number(native.Megabytes, "0.0")} | 25 |");
            Console.WriteLine($"| NativeAOT: restart, beside the app without us | {Ratio(native.Again, without.Again)} | |");
            PrintResident("the app without us", native, without, "");
            if (Find(Contestant.CaddyServer) is { } caddy)
            {
                Console.WriteLine($"| NativeAOT: first start, beside Caddy | {Ratio(native.First, caddy.First)} | 1.0 |");
                Console.WriteLine($"| NativeAOT: restart, beside Caddy | {Ratio(native.Again, caddy.Again)} | 1.5 |");
                Console.WriteLine($"| NativeAOT without us: restart, beside Caddy | {Ratio(without.Again, caddy.Again)} | |");
                PrintResident("Caddy", native, caddy, "1.0");
            }
        }

        Contestant? Find(string title) => contestants.Find(contestant => contestant.Title == title);
    }

    private static void PrintResident(string beside, Contestant native, Contestant other, string goal)
    {
        if (native.AtRest.Count > 0 && other.AtRest.Count > 0)
        {
            var ratio = Middle(native.AtRest.Select(m => m.Resident)) / Middle(other.AtRest.Select(m => m.Resident));
            Console.WriteLine($"| NativeAOT: resident at rest, beside {beside} | {Number(ratio, "0.00")} | {goal} |");
        }
    }

    private static string Starts(List<ColdStart> starts)
        => $"{Span(starts.Select(s => s.Seconds), "0.00")} | {Span(starts.Select(s => s.ProcessorSeconds), "0.00")} | {Methods(starts)}";

    private static string Methods(List<ColdStart> starts)
        => starts.TrueForAll(s => s.Methods == 0) ? "0" : Span(starts.Select(s => (double)s.Methods), "N0");

    private static string Memory(List<ProcessMemory> samples)
        => $"{Span(samples.Select(m => m.Resident), "0")} | {Span(samples.Select(m => m.Private), "0")}";

    // Medians of one run: both took turns.
    private static string Ratio(List<ColdStart> ours, List<ColdStart> theirs)
        => Number(Middle(ours.Select(s => s.Seconds)) / Middle(theirs.Select(s => s.Seconds)), "0.00");

    private static string Span(IEnumerable<double> values, string format)
    {
        var all = values.ToList();
        return $"{Number(Middle(all), format)} ({Number(all.Min(), format)} to {Number(all.Max(), format)})";
    }

    private static double Middle(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
