using System.Net;
using System.Text.RegularExpressions;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Samples.Tests;

/// <summary>The built samples/Wildcard in a separate process, with its files in a folder of the test.</summary>
internal sealed partial class WildcardProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;

    private WildcardProcess(ChildProcess process, int port) => (_process, EndPoint) = (process, new IPEndPoint(IPAddress.Loopback, port));

    public IPEndPoint EndPoint { get; }

    public string Output => _process.Output;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static WildcardProcess Start(string folder)
    {
        var port = FreePort.Tcp();
        var environment = new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = $"https://127.0.0.1:{port}",
        };
        return new WildcardProcess(BuiltSample.Start("Wildcard", folder, environment), port);
    }

    /// <summary>Waits for the curl command that the sample prints when it serves, and returns its parts.</summary>
    public async Task<(string RootPemPath, string Host, int Port)> ServesAsync()
    {
        var line = await _process.WaitForLineAsync("curl --cacert", TimeSpan.FromSeconds(60), Cancelled);
        var match = CurlLine().Match(line);
        Assert.True(match.Success, line);
        return (
            match.Groups["root"].Value,
            match.Groups["host"].Value,
            int.Parse(match.Groups["port"].Value, System.Globalization.CultureInfo.InvariantCulture));
    }

    public Task<string> WroteAsync(string text) => _process.WaitForLineAsync(text, cancellationToken: Cancelled);

    /// <summary>Stops the process.</summary>
    /// <returns>The exit code; <see langword="null"/> if the process had to be killed.</returns>
    public async Task<int?> StopAsync() => await _process.StopAsync(cancellationToken: Cancelled) ? _process.ExitCode : null;

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    [GeneratedRegex(@"^  curl --cacert (?<root>\S+) --resolve (?<host>[^:\s]+):(?<port>\d+):127\.0\.0\.1 https://\k<host>:\k<port>/$")]
    private static partial Regex CurlLine();
}
