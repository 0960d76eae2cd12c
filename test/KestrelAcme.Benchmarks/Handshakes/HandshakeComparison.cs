using System.Diagnostics;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;

namespace KestrelAcme.Benchmarks.Handshakes;

/// <summary>Server CPU per handshake: static certificate, naive selector and ours, in alternating rounds.</summary>
internal sealed class HandshakeComparison : IDisposable
{
    private const int PerRound = 200;

    private readonly Process _client = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ClientArguments())
    {
        RedirectStandardInput = true, RedirectStandardOutput = true,
    })!;

    private readonly List<Contestant> _contestants = [];

    public static async Task<int> RunAsync(int rounds)
    {
        using var comparison = new HandshakeComparison();
        await comparison.StartAsync();
        foreach (var contestant in comparison._contestants)
        {
            // Every name twice: contexts are made, hot ones pinned, code is compiled.
            await comparison.MeasureAsync(contestant, Math.Max(2 * contestant.Names, 600), -1);
            await comparison.MeasureAsync(contestant, 2 * PerRound, 1);
        }

        for (var round = 0; round < rounds; round++)
        {
            // The order turns with each round, so that no one always follows the same.
            for (var i = 0; i < comparison._contestants.Count; i++)
            {
                var contestant = comparison._contestants[(i + round) % comparison._contestants.Count];
                contestant.Cpu.Add(await comparison.MeasureAsync(contestant, PerRound, 1000 + round));
            }

            Console.Error.Write('.');
        }

        Console.Error.WriteLine();
        comparison.Print(rounds);
        return 0;
    }

    public void Dispose()
    {
        _client.StandardInput.Close();
        _client.WaitForExit();
        _client.Dispose();
    }

    private static string ClientArguments() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? $"{typeof(HandshakeComparison).Assembly.Location} client" : "client";

    private async Task StartAsync()
    {
        // Names of their own keep the client's sessions with the servers apart.
        var authority = new TestAuthority();
        Add("static, 1 name", "s", await HandshakeServers.StartStaticAsync(authority), 1);
        Add("ours, 1 name", "a", await HandshakeServers.StartOursAsync(authority, "a", 1, new TlsSettings()), 1);
        Add("naive selector, 1 name", "b", await HandshakeServers.StartSelectorAsync(authority, "b", 1), 1);
        var pinned = await HandshakeServers.StartOursAsync(authority, "p", 200, new TlsSettings());
        Add("ours, 200 names pinned", "p", pinned, 200);
        Add("ours, 200 names pinned, resumed", "p", pinned, 200, resume: true);
        var naive = await HandshakeServers.StartSelectorAsync(authority, "n", 200);
        Add("naive selector, 200 names", "n", naive, 200);
        Add("naive selector, 200 names, resuming", "n", naive, 200, resume: true);
        Add("ours, 2,000 names unpinned", "u", await HandshakeServers.StartOursAsync(authority, "u", 2000, new TlsSettings { PinnedCertificates = 0 }), 2000);
    }

    private void Add(string name, string prefix, int port, int names, bool resume = false) => _contestants.Add(new Contestant(name, prefix, port, names, resume));

    private async Task<double> MeasureAsync(Contestant contestant, int count, int seed)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Environment.CpuUsage.TotalTime;
        await _client.StandardInput.WriteLineAsync($"{contestant.Prefix} {contestant.Port} {count} {contestant.Names} {seed} {(contestant.Resume ? 1 : 0)}");
        var resumed = int.Parse((await _client.StandardOutput.ReadLineAsync())!);
        var spent = (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / count;
        if (seed >= 1000)
        {
            contestant.Resumed += resumed;
            contestant.Total += count;
        }

        return spent;
    }

    private void Print(int rounds)
    {
        var baseline = _contestants[0];
        Console.WriteLine($"{rounds} alternating rounds of {PerRound} handshakes; server CPU; mean ratio and its 95 % interval.");
        Console.WriteLine();
        Console.WriteLine("| server | µs per handshake | ratio to static | resumed |");
        Console.WriteLine("|---|---|---|---|");
        foreach (var contestant in _contestants)
        {
            var ratio = contestant == baseline ? "1" : Ratio.Of(contestant.Cpu, baseline.Cpu).ToString();
            Console.WriteLine($"| {contestant.Name} | {contestant.Cpu.Average():0} | {ratio} | {contestant.Resumed} of {contestant.Total} |");
        }

        var full = _contestants.Single(contestant => contestant.Name == "ours, 200 names pinned");
        var resumed = _contestants.Single(contestant => contestant.Name == "ours, 200 names pinned, resumed");
        Console.WriteLine();
        Console.WriteLine($"Resumed to full, ours, 200 names pinned: {Ratio.Of(resumed.Cpu, full.Cpu)}");
    }

    private sealed class Contestant(string name, string prefix, int port, int names, bool resume)
    {
        public string Name => name;

        public string Prefix => prefix;

        public int Port => port;

        public int Names => names;

        public bool Resume => resume;

        public List<double> Cpu { get; } = [];

        public int Resumed { get; set; }

        public int Total { get; set; }
    }
}
