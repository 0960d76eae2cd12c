using BenchmarkDotNet.Attributes;
using KestrelAcme.Tls;

namespace KestrelAcme.Benchmarks.Micro;

/// <summary>Finding a certificate among 1, 10,000 and 100,000: always the same name, and names at random.</summary>
[MemoryDiagnoser]
public class NameIndexBenchmarks
{
    private const int Sample = 4096;
    private readonly NameIndex _index = new();
    private readonly string[] _names = new string[Sample];
    private readonly string[] _wild = new string[Sample];
    private long _now;
    private int _next;

    [Params(1, 10_000, 100_000)]
    public int Names { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        var now = TimeProvider.System.GetUtcNow();
        _now = now.UtcTicks;
        for (var i = 0; i < Names; i++)
        {
            var material = new CertificateMaterial($"{i}", [], [], default, now.AddDays(-1), now.AddDays(89));
            var slot = new CertificateSlot { Current = new CertificateEntry(material, material.Chain, KeyKinds.EcdsaP256) };
            _index.Add($"name{i}.example.test", slot);
            _index.Add($"*.wild{i}.example.test", slot);
        }

        var random = new Random(1);
        for (var i = 0; i < Sample; i++)
        {
            var n = random.Next(Names);
            _names[i] = $"name{n}.example.test";
            _wild[i] = $"any.wild{n}.example.test";
        }
    }

    [Benchmark]
    public object? Exact() => _index.Find(_names[0], KeyKinds.Ecdsa, _now);

    [Benchmark]
    public object? Wildcard() => _index.Find(_wild[0], KeyKinds.Ecdsa, _now);

    [Benchmark]
    public object? ExactAtRandom() => _index.Find(_names[_next++ & (Sample - 1)], KeyKinds.Ecdsa, _now);

    [Benchmark]
    public object? WildcardAtRandom() => _index.Find(_wild[_next++ & (Sample - 1)], KeyKinds.Ecdsa, _now);
}
