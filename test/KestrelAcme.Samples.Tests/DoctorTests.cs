using System.Net;
using System.Net.Sockets;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Samples.Tests;

/// <summary>The argument <c>--acme-doctor</c>, which the quick start has no line of code for.</summary>
public sealed class DoctorTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Argument_SampleInOrder_PrintsTheReportAndOrdersNothing()
    {
        using var folder = new TemporaryFolder();

        var (code, output) = await RunAsync(folder, FreePort.Tcp(), new Dictionary<string, string?>());

        Assert.True(code == 0, output);
        Assert.StartsWith("KestrelAcme doctor, ", output, StringComparison.Ordinal);
        Assert.Contains("  ok       token         127.0.0.1:", output, StringComparison.Ordinal);
        Assert.Contains("  ok       directory     https://127.0.0.1:", output, StringComparison.Ordinal);
        Assert.Contains("  ok       certificate   There is none yet.", output, StringComparison.Ordinal);
        Assert.Contains("Nothing was ordered.", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.Combine("store/certificates")));
    }

    [Fact]
    public async Task Argument_InvalidOptions_ListsThemWithoutAStackTrace()
    {
        using var folder = new TemporaryFolder();

        var (code, output) = await RunAsync(
            folder, FreePort.Tcp(), new Dictionary<string, string?> { ["AcmeHttps__DomainNames__0"] = "http://bad" });

        Assert.Equal(1, code);
        Assert.Contains("ERROR    options  AcmeHttps:DomainNames:0 = 'http://bad': is a URL", output, StringComparison.Ordinal);
        Assert.Contains("fix:     Write 'bad'.", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_InvalidOptions_ListsThemOnceWithoutAStackTrace()
    {
        using var folder = new TemporaryFolder();

        var (code, output) = await RunAsync(
            folder, FreePort.Tcp(), new Dictionary<string, string?> { ["AcmeHttps__DomainNames__0"] = "http://bad" }, argument: null);

        Assert.NotEqual(0, code);
        Assert.Equal(2, output.Split("AcmeHttps:DomainNames:0 = 'http://bad': is a URL").Length);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Argument_PortIsTaken_SaysSoAndExaminesTheRest()
    {
        using var folder = new TemporaryFolder();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        var (code, output) = await RunAsync(folder, port, new Dictionary<string, string?>());

        Assert.True(code == 0, output);
        Assert.Contains($"WARNING  http          Another process listens on 127.0.0.1:{port}.", output, StringComparison.Ordinal);
        Assert.Contains("  ok       dns           127.0.0.1 is this machine.", output, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output)> RunAsync(
        TemporaryFolder folder, int http, IReadOnlyDictionary<string, string?> settings, string? argument = "--acme-doctor")
    {
        await using var sample = BuiltSample.Start(
            "QuickStart",
            folder.Path,
            new Dictionary<string, string?>
            {
                ["AcmeHttps__DomainNames__0"] = "quickstart.localhost",
                ["AcmeHttps__AcceptTermsOfService"] = "true",
                ["AcmeHttps__StoragePath"] = folder.Combine("store"),
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{http};https://127.0.0.1:{FreePort.Tcp()}",
            }.Concat(settings).GroupBy(s => s.Key).ToDictionary(s => s.Key, s => s.Last().Value),
            argument is null ? [] : [argument]);
        await sample.WaitForExitAsync(cancellationToken: Cancelled);
        return (sample.ExitCode, sample.Output);
    }
}
