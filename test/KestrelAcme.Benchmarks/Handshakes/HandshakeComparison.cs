using System.Diagnostics;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;

namespace KestrelAcme.Benchmarks.Handshakes;

/// <summary>Server CPU per handshake: static certificate, naive selector and ours, in alternating rounds.</summary>
internal sealed class HandshakeComparison : IDisposable
{
    private const int PerRound = 100;

    private readonly Process _client = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ClientArguments())
    {
        RedirectStandardInput = true, RedirectStandardOutput = true,

        // .NET's client keeps the sessions of 500 hosts; here are more.
        Environment = { ["DOTNET_SYSTEM_NET_SECURITY_TLSCACHESIZE"] = "5000" },
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
            foreach (var contestant in comparison._contestants.Where(contestant => contestant.Baseline is not null))
            {
                await comparison.MeasurePairAsync(contestant, round);
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
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
            ? $"{typeof(HandshakeComparison).Assembly.Location} client"
            : "client";

    private async Task StartAsync()
    {
        // Names of their own keep the client's sessions with the servers apart.
        var authority = new TestAuthority();
        var keys = LeafKeys.P256;
        var staticPort = await HandshakeServers.StartStaticAsync(authority, "s", keys);
        var plain = Add("static, 1 name", "s", staticPort, 1, null);
        Add("a connection without TLS", HandshakeClient.PlainPrefix, await HandshakeServers.StartPlainAsync(), 1, plain);
        Add("static, 1 name, resumed", "s", staticPort, 1, plain, resume: true);
        Add("ours, 1 name", "a", await HandshakeServers.StartOursAsync(authority, "a", 1, keys, new TlsSettings()), 1, plain);
        Add("naive selector, 1 name", "b", await HandshakeServers.StartSelectorAsync(authority, "b", 1, keys), 1, plain);
        await AddPinnedAsync(authority, "p", keys, plain, "");
        var naive = await HandshakeServers.StartSelectorAsync(authority, "n", 200, keys);
        Add("naive selector, 200 names", "n", naive, 200, plain);
        Add("naive selector, 200 names, resuming", "n", naive, 200, plain, resume: true);
        Add(
            "ours, 2,000 names unpinned",
            "u",
            await HandshakeServers.StartOursAsync(authority, "u", 2000, keys, new TlsSettings { SessionCacheCertificates = 0 }),
            2000,
            plain);
        await AddRsaAsync(authority, LeafKeys.Rsa2048());
    }

    // Against a static RSA certificate: its signature costs many times what one with P-256 does.
    private async Task AddRsaAsync(TestAuthority authority, LeafKeys keys)
    {
        var staticPort = await HandshakeServers.StartStaticAsync(authority, "rs", keys);
        var plain = Add("static RSA, 1 name", "rs", staticPort, 1, null);
        Add("static RSA, 1 name, resumed", "rs", staticPort, 1, plain, resume: true);
        Add("ours, RSA, 1 name", "ra", await HandshakeServers.StartOursAsync(authority, "ra", 1, keys, new TlsSettings()), 1, plain);
        Add("naive selector, RSA, 1 name", "rb", await HandshakeServers.StartSelectorAsync(authority, "rb", 1, keys), 1, plain);
        await AddPinnedAsync(authority, "rp", keys, plain, "RSA, ");
    }

    private async Task AddPinnedAsync(TestAuthority authority, string prefix, LeafKeys keys, Contestant plain, string kind)
    {
        var port = await HandshakeServers.StartOursAsync(authority, prefix, 200, keys, new TlsSettings());
        var pinned = Add($"ours, {kind}200 names pinned", prefix, port, 200, plain);
        Add($"ours, {kind}200 names pinned, resumed", prefix, port, 200, pinned, resume: true);
    }

    private Contestant Add(string name, string prefix, int port, int names, Contestant? baseline, bool resume = false)
    {
        var contestant = new Contestant(name, prefix, port, names, baseline, resume);
        _contestants.Add(contestant);
        return contestant;
    }

    // The two are measured one right after the other, who goes first changes: what else the machine does hits both.
    private async Task MeasurePairAsync(Contestant contestant, int round)
    {
        if (round % 2 == 0)
        {
            contestant.BaselineCpu.Add(await MeasureAsync(contestant.Baseline!, PerRound, 1000 + round));
        }

        contestant.Cpu.Add(await MeasureAsync(contestant, PerRound, 1000 + round));
        if (round % 2 != 0)
        {
            contestant.BaselineCpu.Add(await MeasureAsync(contestant.Baseline!, PerRound, 1000 + round));
        }
    }

    private async Task<double> MeasureAsync(Contestant contestant, int count, int seed)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Environment.CpuUsage.TotalTime;
        await _client.StandardInput.WriteLineAsync(
            $"{contestant.Prefix} {contestant.Port} {count} {contestant.Names} {seed} {(contestant.Resume ? 1 : 0)}");
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
        Console.WriteLine(
            $"{rounds} rounds of {PerRound} handshakes, each right beside {PerRound} of what it is compared with; server CPU.");
        Console.WriteLine();
        Console.WriteLine("| server | compared with | µs per handshake | ratio (95 % interval) | resumed |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var contestant in _contestants.Where(contestant => contestant.Baseline is not null))
        {
            Console.WriteLine(
                $"| {contestant.Name} | {contestant.Baseline!.Name} ({contestant.BaselineCpu.Average():0} µs) "
                + $"| {contestant.Cpu.Average():0} "
                + $"| {Ratio.Of(contestant.Cpu, contestant.BaselineCpu)} | {contestant.Resumed} of {contestant.Total} |");
        }
    }

    private sealed class Contestant(string name, string prefix, int port, int names, Contestant? baseline, bool resume)
    {
        public string Name => name;

        public string Prefix => prefix;

        public int Port => port;

        public int Names => names;

        public Contestant? Baseline => baseline;

        public bool Resume => resume;

        public List<double> Cpu { get; } = [];

        public List<double> BaselineCpu { get; } = [];

        public int Resumed { get; set; }

        public int Total { get; set; }
    }
}
