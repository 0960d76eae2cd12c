using BenchmarkDotNet.Attributes;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Tls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;

namespace KestrelAcme.Benchmarks.Micro;

/// <summary>One more name on demand beside 100, 10,000 and 100,000, and one less; finding a managed name without a certificate.</summary>
[MemoryDiagnoser]
public class NewNameBenchmarks
{
    private readonly ConfigurationSnapshot _configuration = new() { StoragePath = "" };
    private CertificateCatalog _catalog = null!;
    private TlsCertificateTable _table = null!;
    private CertificateSpecification[] _next = null!;

    [Params(100, 10_000, 100_000)]
    public int Names { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _table = new ServiceCollection().AddLogging().AddKestrelTls().AddSingleton<IHostEnvironment>(new HostingEnvironment())
            .BuildServiceProvider().GetRequiredService<TlsCertificateTable>();
        _catalog = new CertificateCatalog(_table);
        _catalog.Apply([Specify("app.example.test", isOnDemand: false)], _configuration);
        Add([.. Enumerable.Range(0, Names).Select(i => Specify($"name{i}.example.test", isOnDemand: true))]);
        _next = [Specify("next.example.test", isOnDemand: true)];
    }

    [Benchmark]
    public int AddAndRemove()
    {
        Add(_next);
        return _catalog.RemoveOnDemand([_next[0].Id]).Count;
    }

    [Benchmark]
    public string? FindConfigured() => _table.Managed.Find("app.example.test");

    [Benchmark]
    public string? FindOnDemand() => _table.Managed.Find("name42.example.test");

    [Benchmark]
    public string? FindForeign() => _table.Managed.Find("other.foreign.test");

    private void Add(CertificateSpecification[] some)
        => _catalog.AddOnDemand(some, static (_, _) => Task.FromResult<DateTimeOffset?>(null), _configuration);

    private static CertificateSpecification Specify(string name, bool isOnDemand)
    {
        CertificateIdentifier[] names = [new(IdentifierKind.Dns, name)];
        return new CertificateSpecification
        {
            Id = CertificateId.Of(names, KeyAlgorithm.EcdsaP256),
            Identifiers = [.. names],
            KeyAlgorithm = KeyAlgorithm.EcdsaP256,
            ChallengeTypes = ["http-01"],
            IsOnDemand = isOnDemand,
        };
    }
}
