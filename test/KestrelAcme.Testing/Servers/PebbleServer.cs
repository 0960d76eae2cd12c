using System.Globalization;
using System.Text.Json;
using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// Pebble, an ACME server for tests, on free loopback ports with an HTTPS certificate of its own. It stores nothing.
/// </summary>
public sealed class PebbleServer : IAsyncDisposable
{
    private readonly string _executable;
    private readonly PebbleOptions _options;
    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackCertificate _certificate = LoopbackCertificate.Create();
    private readonly HttpClient _client;
    private readonly int _port = FreePort.Tcp();
    private readonly int _managementPort = FreePort.Tcp();
    private ChildProcess? _process;

    private PebbleServer(string executable, PebbleOptions options, ChallengeTestServer? dns)
    {
        (_executable, _options, Dns) = (executable, options, dns);
        HttpPort = options.HttpPort ?? FreePort.Tcp();
        TlsPort = options.TlsPort ?? FreePort.Tcp();
        DirectoryUrl = new Uri($"https://127.0.0.1:{_port}/dir");
        _client = TrustingClient.Create(TrustedRootsPem);
        TrustedRootsPath = _folder.Write("https-root.pem", TrustedRootsPem);
    }

    /// <summary>The URL of the directory.</summary>
    public Uri DirectoryUrl { get; }

    /// <summary>The root of its HTTPS certificate, which is not the issuing one.</summary>
    public string TrustedRootsPem => _certificate.RootPem;

    /// <summary>A file with <see cref="TrustedRootsPem"/>.</summary>
    public string TrustedRootsPath { get; }

    /// <summary>The port of http-01 for the application under test.</summary>
    public int HttpPort { get; }

    /// <summary>The port of tls-alpn-01 for the application under test.</summary>
    public int TlsPort { get; }

    /// <summary>Its DNS server, unless <see cref="PebbleOptions.DnsServer"/> is set.</summary>
    public ChallengeTestServer? Dns { get; }

    /// <summary>Its output since it was (re)started.</summary>
    public string Output => _process?.Output ?? "";

    /// <summary>Starts Pebble; skips the running test if it is not installed.</summary>
    public static Task<PebbleServer> StartAsync(PebbleOptions? options = null, CancellationToken cancellationToken = default)
    {
        var executable = RequireServer.Installed("pebble", "pebble");
        return StartAttempts.RunAsync(() => StartOnceAsync(executable, options ?? new PebbleOptions(), cancellationToken));
    }

    /// <summary>An HTTP client that trusts <see cref="TrustedRootsPem"/>; the caller disposes it.</summary>
    public HttpClient CreateClient() => TrustingClient.Create(TrustedRootsPem);

    /// <summary>
    /// Returns the issuing root: 0 for the default chain, 1 and up for the alternate ones. It changes with each start.
    /// </summary>
    public Task<string> GetIssuingRootPemAsync(int index = 0, CancellationToken cancellationToken = default) =>
        _client.GetStringAsync(new Uri($"https://127.0.0.1:{_managementPort}/roots/{index}"), cancellationToken);

    /// <summary>Returns the issuing intermediate; see <see cref="GetIssuingRootPemAsync"/>.</summary>
    public Task<string> GetIntermediatePemAsync(int index = 0, CancellationToken cancellationToken = default) =>
        _client.GetStringAsync(new Uri($"https://127.0.0.1:{_managementPort}/intermediates/{index}"), cancellationToken);

    /// <summary>Kills Pebble: connections are refused until <see cref="RestartAsync"/>.</summary>
    public async Task StopAsync()
    {
        if (_process is { } process)
        {
            await process.DisposeAsync();
        }
    }

    /// <summary>Kills Pebble and starts it again on the same ports. Accounts, orders and roots are lost.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await StopAsync();
        await LaunchAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (Dns is not null)
        {
            await Dns.DisposeAsync();
        }

        _client.Dispose();
        _certificate.Dispose();
        _folder.Dispose();
    }

    private static async Task<PebbleServer> StartOnceAsync(string executable, PebbleOptions options, CancellationToken cancellationToken)
    {
        var dns = options.DnsServer is null ? await ChallengeTestServer.StartAsync(cancellationToken) : null;
        var server = new PebbleServer(executable, options, dns);
        try
        {
            await server.LaunchAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private async Task LaunchAsync(CancellationToken cancellationToken)
    {
        List<string> arguments = ["-config", WriteConfiguration(), "-dnsserver", _options.DnsServer ?? $"127.0.0.1:{Dns!.DnsPort}"];
        if (_options.Strict)
        {
            arguments.Add("-strict");
        }

        _process = ChildProcess.Start(_executable, arguments, CreateEnvironment());
        await StartAttempts.UntilAnswersAsync(_process, AnswersAsync, cancellationToken);
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        using var directory = await _client.GetAsync(DirectoryUrl, cancellationToken);
        var root = await GetIssuingRootPemAsync(0, cancellationToken);
        return directory.IsSuccessStatusCode && root.Length > 0;
    }

    private string WriteConfiguration()
    {
        var pebble = new Dictionary<string, object>
        {
            ["listenAddress"] = $"127.0.0.1:{_port}",
            ["managementListenAddress"] = $"127.0.0.1:{_managementPort}",
            ["certificate"] = _folder.Write("https.pem", _certificate.CertificatePem),
            ["privateKey"] = _folder.Write("https-key.pem", _certificate.PrivateKeyPem),
            ["httpPort"] = HttpPort,
            ["tlsPort"] = TlsPort,
            ["externalAccountBindingRequired"] = _options.ExternalAccountKeys.Count > 0,
            ["externalAccountMACKeys"] = _options.ExternalAccountKeys,
            ["domainBlocklist"] = _options.Blocklist,
            ["certificateValidityPeriod"] = (long)_options.CertificateLifetime.TotalSeconds,
        };
        return _folder.Write("pebble.json", JsonSerializer.Serialize(new { pebble }));
    }

    private Dictionary<string, string?> CreateEnvironment() => new()
    {
        ["PEBBLE_WFE_NONCEREJECT"] = Text(_options.NonceRejectPercent),
        ["PEBBLE_AUTHZREUSE"] = Text(_options.AuthorizationReusePercent),
        ["PEBBLE_VA_NOSLEEP"] = _options.Sleeps ? null : "1",
        ["PEBBLE_VA_SLEEPTIME"] = _options.Sleeps ? Text((int)_options.ValidationSleep.TotalSeconds) : null,
        ["PEBBLE_VA_ALWAYS_VALID"] = _options.AlwaysValid ? "1" : null,
        ["PEBBLE_ALTERNATE_ROOTS"] = Text(_options.AlternateRoots),
        ["PEBBLE_CHAIN_LENGTH"] = Text(_options.ChainLength),
    };

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
