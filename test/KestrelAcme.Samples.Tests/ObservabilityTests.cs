using System.Text.Json;
using System.Text.RegularExpressions;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Samples.Tests;

public sealed partial class ObservabilityTests
{
    private static readonly string[] HistogramSuffixes = ["_bucket", "_sum", "_count"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_AsAProgram_PrintsMetricsAndTracesAndReportsItsHealth()
    {
        using var folder = new TemporaryFolder();
        var (http, https) = (FreePort.Tcp(), FreePort.Tcp());
        await using var sample = BuiltSample.Start("Observability", folder.Path, new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{http};https://127.0.0.1:{https}",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
        });

        await sample.WaitForLineAsync("acme.order.finalize", cancellationToken: Cancelled);
        await sample.WaitForLineAsync("acme.order.outcome: obtained", cancellationToken: Cancelled);
        await sample.WaitForLineAsync("kestrelacme.orders", cancellationToken: Cancelled);
        await sample.WaitForLineAsync("kestrelacme.certificate.expiry", cancellationToken: Cancelled);

        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{http}") };
        using var health = JsonDocument.Parse(await client.GetStringAsync(new Uri("/health/acme", UriKind.Relative), Cancelled));
        Assert.Equal("Healthy", health.RootElement.GetProperty("status").GetString());
        var certificate = health.RootElement.GetProperty("checks").GetProperty("acme-https").GetProperty("data")
            .GetProperty("certificates").GetProperty("observability.localhost");
        Assert.Equal("Valid", certificate.GetProperty("state").GetString());
        Assert.Equal("Healthy", await client.GetStringAsync(new Uri("/health/ready", UriKind.Relative), Cancelled));
        Assert.True(await sample.StopAsync(cancellationToken: Cancelled) && sample.ExitCode == 0, sample.Output);
    }

    [Fact]
    public void Dashboard_Queries_NameMetricsAndTagsOfTheDocumentation()
    {
        using var dashboard = JsonDocument.Parse(Read("dashboard.json"));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        var queries = panels.SelectMany(p => p.GetProperty("targets").EnumerateArray())
            .Select(t => t.GetProperty("expr").GetString()!)
            .ToList();

        Assert.NotEmpty(queries);
        Assert.Equal(panels.Count, panels.Select(p => p.GetProperty("id").GetInt32()).Distinct().Count());
        AssertKnown(queries);

        // The dashboard shows every instrument.
        var text = string.Join('\n', queries);
        Assert.DoesNotContain(PrometheusNames(), name => !text.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public void Alerts_Rules_NameMetricsAndTagsOfTheDocumentation()
    {
        var rules = Read("alerts.yml").Split("- alert: ").Skip(1).ToList();

        Assert.NotEmpty(rules);
        Assert.All(rules, rule => Assert.True(
            rule.Contains("expr: ", StringComparison.Ordinal) && rule.Contains("severity: ", StringComparison.Ordinal)
                && rule.Contains("summary: ", StringComparison.Ordinal),
            rule));
        AssertKnown([.. rules.Select(rule => Expression().Match(rule).Groups[1].Value)]);
    }

    // A rule on a metric that does not exist never fires, and nobody notices.
    private static void AssertKnown(IReadOnlyList<string> queries)
    {
        var names = PrometheusNames().ToHashSet(StringComparer.Ordinal);
        var tags = Tag().Matches(Document()).Select(m => m.Groups[1].Value.Replace('.', '_')).ToHashSet(StringComparer.Ordinal);
        var values = Word().Matches(Document()).Select(m => m.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        foreach (var query in queries)
        {
            var metrics = Metric().Matches(query).Select(m => m.Value).ToList();
            Assert.NotEmpty(metrics);
            Assert.All(metrics, metric => Assert.Contains(WithoutSuffix(metric, names), names));
            Assert.All(UsedTag().Matches(query), tag => Assert.Contains(tag.Value, tags));
            var asked = TagValue().Matches(query).SelectMany(m => m.Groups[1].Value.Split('|'));
            Assert.All(asked, value => Assert.Contains(value, values));
        }
    }

    private static string WithoutSuffix(string metric, HashSet<string> names)
        => Array.Find(HistogramSuffixes, s => metric.EndsWith(s, StringComparison.Ordinal) && !names.Contains(metric)) is { } suffix
            ? metric[..^suffix.Length]
            : metric;

    // The names as Prometheus has them: the unit is added unless it is a count, and counters end in _total.
    private static IEnumerable<string> PrometheusNames() => Row().Matches(Document()).Select(m =>
        m.Groups["name"].Value.Replace('.', '_')
        + (m.Groups["unit"].Value == "s" ? "_seconds" : "")
        + (m.Groups["kind"].Value == "counter" ? "_total" : ""));

    private static string Document() => File.ReadAllText(Path.Combine(BuiltSample.Root(), "docs", "metrics.md"));

    private static string Read(string file) => File.ReadAllText(Path.Combine(BuiltSample.Folder("Observability"), file));

    [GeneratedRegex(@"^\| `(?<name>kestrelacme\.[a-z_.]+)` \| (?<kind>[a-z -]+) \| `(?<unit>[^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`((?:acme|server)\\.[a-z_.]+)`")]
    private static partial Regex Tag();

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Word();

    [GeneratedRegex("kestrelacme_[a-z_]+")]
    private static partial Regex Metric();

    [GeneratedRegex(@"\b(?:acme|server)_[a-z_]+")]
    private static partial Regex UsedTag();

    [GeneratedRegex("(?:acme|server)_[a-z_]+=~?\"([^\"]*)\"")]
    private static partial Regex TagValue();

    [GeneratedRegex(@"expr: (.+)")]
    private static partial Regex Expression();
}
