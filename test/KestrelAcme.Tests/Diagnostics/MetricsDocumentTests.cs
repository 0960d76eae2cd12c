using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.RegularExpressions;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tests.Certificates;
using Xunit;

namespace KestrelAcme.Tests.Diagnostics;

/// <summary>Operators build dashboards on metrics: docs/metrics.md lists each instrument as it is.</summary>
public sealed partial class MetricsDocumentTests
{
    private static readonly Dictionary<string, string[]> Rows = Row().Matches(File.ReadAllText(Path.Combine(Root(), "docs", "metrics.md")))
        .ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value.Split(" | ").Select(c => c.Trim()).ToArray());

    [Fact]
    public async Task Document_EveryInstrument_HasARowWithItsKindAndUnit()
    {
        await using var parts = new EngineParts(["a.test"]);
        parts.Get<CertificateGauges>().Publish();
        using var metrics = new MetricReader(parts.Get<IServiceProvider>());

        var code = metrics.Instruments.Select(i => $"{i.Name} {KindOf(i)} {i.Unit}").Order(StringComparer.Ordinal);

        Assert.Equal(Names(), metrics.Instruments.Select(i => i.Name).Order(StringComparer.Ordinal));
        Assert.Equal(code, Rows.Select(r => $"{r.Key} {r.Value[0]} {r.Value[1].Trim('`')}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Document_Tags_AreThoseOfTheCode()
    {
        var known = Constants(typeof(InstrumentTags)).ToHashSet(StringComparer.Ordinal);
        var named = Rows.Values.SelectMany(cells => Tag().Matches(cells[2]).Select(m => m.Groups[1].Value))
            .ToHashSet(StringComparer.Ordinal);

        Assert.Equal(known.Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Document_EveryInstrument_SaysWhatItMeans()
    {
        await using var parts = new EngineParts(["a.test"]);
        parts.Get<CertificateGauges>().Publish();
        using var metrics = new MetricReader(parts.Get<IServiceProvider>());

        Assert.All(metrics.Instruments, i => Assert.False(string.IsNullOrWhiteSpace(i.Description)));
        Assert.All(Rows, row => Assert.True(row.Value is [_, _, _, { Length: > 10 }], row.Key));
    }

    private static IEnumerable<string> Names()
        => Constants(typeof(Instruments)).Where(n => n.Contains('.', StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Constants(Type type)
        => type.GetFields(BindingFlags.Static | BindingFlags.Public).Where(f => f.IsLiteral).Select(f => (string)f.GetRawConstantValue()!);

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "Counter" => "counter",
        "Histogram" => "histogram",
        "ObservableGauge" => "gauge",
        "ObservableUpDownCounter" => "up-down counter",
        var other => other,
    };

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KestrelAcme.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }

    [GeneratedRegex(@"^\| `(kestrelacme\.[a-z_.]+)` \|(.*)\|\s*$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([a-z_]+(?:\\.[a-z_]+)+)`")]
    private static partial Regex Tag();
}
