using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Fleet.Tests;

/// <summary>One instance of the app: a process that can be killed, paused and started again on the same ports.</summary>
internal sealed class FleetInstance(
    int number, int httpPort, int httpsPort, IReadOnlyDictionary<string, string?> settings) : IAsyncDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false })
    {
        BaseAddress = new Uri($"http://127.0.0.1:{httpPort}/"),
    };
    private readonly Dictionary<string, string?> _settings = new(settings);
    private readonly List<string> _past = [];
    private ChildProcess? _process;

    public int Number => number;

    public int HttpPort => httpPort;

    public int HttpsPort => httpsPort;

    public int ProcessId => _process!.Id;

    /// <summary>What the process wrote that runs now.</summary>
    public string Output => _process?.Output ?? "";

    /// <summary>What all its processes wrote.</summary>
    public string AllOutput => string.Join('\n', [.. _past, Output]);

    /// <summary>Changes a setting for the next start.</summary>
    public void Change(string key, string? value) => _settings[key] = value;

    public void Start()
    {
        var environment = new Dictionary<string, string?>(_settings)
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{httpPort};https://127.0.0.1:{httpsPort}",
            ["Logging__LogLevel__KestrelAcme"] = "Debug",
            ["Logging__LogLevel__Microsoft"] = "Warning",
            ["Logging__Console__FormatterName"] = "simple",
            ["Logging__Console__FormatterOptions__SingleLine"] = "true",
            ["Logging__Console__FormatterOptions__TimestampFormat"] = "yyyy-MM-ddTHH:mm:ss.fff ",
        };
        _process = ChildProcess.Start(
            "dotnet", ["exec", Path.Join(AppContext.BaseDirectory, "KestrelAcme.FleetApp.dll")], environment, Path.GetTempPath());
    }

    public Task ListeningAsync()
        => _process!.WaitForLineAsync("FleetApp: listening", cancellationToken: TestContext.Current.CancellationToken);

    public async Task KillAsync()
    {
        await _process!.KillAsync(TestContext.Current.CancellationToken);
        _past.Add(_process.Output);
        await _process.DisposeAsync();
    }

    public Task StopAsync() => _process!.StopAsync(cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>SIGSTOP: the process stands still, and its connections stay open.</summary>
    public void Pause() => ProcessSignals.Send(ProcessId, ProcessSignals.Stop);

    public void Continue() => ProcessSignals.Send(ProcessId, ProcessSignals.Continue);

    public async Task<string> PostAsync(string path)
    {
        using var response = await _client.PostAsync(new Uri(path, UriKind.Relative), null, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return response.IsSuccessStatusCode ? text : throw new HttpRequestException($"{(int)response.StatusCode}: {text}");
    }

    /// <summary>Returns the status of each certificate by its name, as "State serial".</summary>
    public async Task<Dictionary<string, string>> StatusAsync()
    {
        var text = await _client.GetStringAsync(new Uri("serials", UriKind.Relative), TestContext.Current.CancellationToken);
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', 2))
            .ToDictionary(p => p[0], p => p[1]);
    }

    /// <summary>Returns the serial number of the certificate that it serves for a name; null if it serves none of the CA's.</summary>
    public async Task<string?> ServedAsync(string name)
    {
        using var leaf = await ConnectAsync(name);
        return leaf is not null && leaf.Issuer != leaf.Subject && leaf.MatchesHostname(name) ? leaf.SerialNumber : null;
    }

    /// <summary>Whether it completes a handshake for a name, with a certificate of its own making.</summary>
    public async Task<bool> ServesPlaceholderAsync(string name)
    {
        using var leaf = await ConnectAsync(name);
        return leaf is not null && leaf.Issuer == leaf.Subject;
    }

    private async Task<X509Certificate2?> ConnectAsync(string name)
    {
        X509Certificate2? leaf = null;
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, httpsPort), TestContext.Current.CancellationToken);
        await using var stream = new SslStream(new NetworkStream(socket));
        try
        {
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = name,
                    RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                    {
                        leaf = X509CertificateLoader.LoadCertificate(certificate!.GetRawCertData());
                        return certificate is not null;
                    },
                },
                TestContext.Current.CancellationToken);
            return leaf;
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException)
        {
            leaf?.Dispose();
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }
}
