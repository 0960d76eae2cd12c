using System.Net;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>An application in a process of its own, to be killed or stopped.</summary>
internal sealed class TestAppProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;

    private TestAppProcess(ChildProcess process, int httpPort, int httpsPort)
    {
        _process = process;
        Http = new IPEndPoint(IPAddress.Loopback, httpPort);
        Https = new IPEndPoint(IPAddress.Loopback, httpsPort);
    }

    public IPEndPoint Http { get; }

    public IPEndPoint Https { get; }

    public string Output => _process.Output;

    /// <summary>Starts the application; it may die before it listens.</summary>
    public static TestAppProcess Start(
        IReadOnlyDictionary<string, string?> settings, int httpPort, string? killAt = null, string? killWhen = null)
    {
        var httpsPort = FreePort.Tcp();
        var environment = settings.ToDictionary(s => s.Key.Replace(":", "__", StringComparison.Ordinal), s => s.Value);
        environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{httpPort};https://127.0.0.1:{httpsPort}";
        environment["Logging__LogLevel__KestrelAcme"] = "Debug";
        environment["KILL_AT"] = killAt;
        environment["KILL_WHEN"] = killWhen;
        var dotnet = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        var process = ChildProcess.Start(
            dotnet, ["exec", Path.Join(AppContext.BaseDirectory, "KestrelAcme.TestApp.dll")], environment, Path.GetTempPath());
        return new TestAppProcess(process, httpPort, httpsPort);
    }

    public Task ListeningAsync()
        => _process.WaitForLineAsync("TestApp: listening", cancellationToken: TestContext.Current.CancellationToken);

    public Task<string> LoggedAsync(string text)
        => _process.WaitForLineAsync(text, cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>Waits until it is dead of the step at which it was to die.</summary>
    public async Task KilledAsync()
    {
        var code = await _process.WaitForExitAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(code == 128 + 9, $"It ended with {code}:\n{_process.Output}");
    }

    /// <summary>Asks it to end and waits until it has.</summary>
    /// <returns>Whether it ended by itself in time.</returns>
    public Task<bool> StopAsync(TimeSpan? timeout = null) => _process.StopAsync(timeout, TestContext.Current.CancellationToken);

    public Task<TlsAnswer> ConnectAsync(string serverName) => TlsAnswer.GetAsync(Https, serverName, TestContext.Current.CancellationToken);

    /// <summary>Where a certificate stands, in the application's own words.</summary>
    public async Task<string> StateAsync(string name)
    {
        using var response = await HttpProbe.SendAsync(
            Http, $"/state?name={Uri.EscapeDataString(name)}", null, HttpMethod.Get, TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Asks for a renewal and waits for the answer.</summary>
    public Task<HttpResponseMessage> RenewAsync(string name)
        => HttpProbe.SendAsync(Http, $"/renew?name={name}", null, HttpMethod.Post, TestContext.Current.CancellationToken);

    /// <summary>Waits until the certificate is there and its order is over.</summary>
    public Task ValidAsync(string name, string? serverName = null) => Poll.UntilAsync(
        async _ => await StateAsync(name) == "Valid" && !(await ConnectAsync(serverName ?? name)).IsSelfSigned,
        () => $"a valid certificate. Output:\n{Output}",
        cancellationToken: TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
