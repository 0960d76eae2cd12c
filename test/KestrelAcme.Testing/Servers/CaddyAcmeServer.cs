using System.Text.Json;
using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// Caddy's acme_server (smallstep's code), a CA that shares no code with Pebble. It validates http-01 only on port 80 and tls-alpn-01
/// only on port 443, so the application under test must listen there on 127.0.0.1; the fixture holds <see cref="ValidationPorts"/> for
/// its lifetime. It resolves names like the machine: `localhost`, the identifier 127.0.0.1 and the names in
/// <see cref="CaddyOptions.HostNames"/>. Certificates are valid for 12 hours; there is one chain; the directory has no terms, no
/// revocation list, and no renewal information.
/// </summary>
public sealed class CaddyAcmeServer : IAsyncDisposable
{
    private readonly CaddyOptions _options;
    private readonly ValidationPorts _ports;
    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackCertificate _certificate = LoopbackCertificate.Create();
    private readonly int _port = FreePort.Tcp();
    private ChildProcess? _process;

    private CaddyAcmeServer(CaddyOptions options, ValidationPorts ports)
    {
        (_options, _ports) = (options, ports);
        DirectoryUrl = new Uri($"https://127.0.0.1:{_port}/acme/local/directory");
        TrustedRootsPath = _folder.Write("https-root.pem", TrustedRootsPem);
    }

    /// <summary>The port of http-01 on 127.0.0.1 for the application under test.</summary>
    public int HttpPort { get; } = 80;

    /// <summary>The port of tls-alpn-01 on 127.0.0.1 for the application under test.</summary>
    public int TlsPort { get; } = 443;

    /// <summary>The URL of the directory.</summary>
    public Uri DirectoryUrl { get; }

    /// <summary>The root of its HTTPS certificate, which is not the issuing one.</summary>
    public string TrustedRootsPem => _certificate.RootPem;

    /// <summary>A file with <see cref="TrustedRootsPem"/>.</summary>
    public string TrustedRootsPath { get; }

    /// <summary>Its output.</summary>
    public string Output => _process?.Output ?? "";

    /// <summary>Starts Caddy; skips the running test if it is not installed or ports 80 and 443 are not available.</summary>
    public static async Task<CaddyAcmeServer> StartAsync(CaddyOptions? options = null, CancellationToken cancellationToken = default)
    {
        RequireServer.Installed("caddy", "caddy");
        var chosen = options ?? new CaddyOptions();
        if (chosen.HostNames.Count > 0)
        {
            await PrivateHosts.RequireAsync(cancellationToken);
        }

        return await StartAttempts.RunAsync(() => StartOnceAsync(chosen, cancellationToken));
    }

    /// <summary>An HTTP client that trusts <see cref="TrustedRootsPem"/>; the caller disposes it.</summary>
    public HttpClient CreateClient() => TrustingClient.Create(TrustedRootsPem);

    /// <summary>Returns the issuing root.</summary>
    public Task<string> GetIssuingRootPemAsync(CancellationToken cancellationToken = default) =>
        File.ReadAllTextAsync(RootPath, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _certificate.Dispose();
        _folder.Dispose();
        _ports.Dispose();
    }

    private string RootPath => _folder.Combine("storage", "pki", "authorities", "local", "root.crt");

    private static async Task<CaddyAcmeServer> StartOnceAsync(CaddyOptions options, CancellationToken cancellationToken)
    {
        var server = new CaddyAcmeServer(options, await ValidationPorts.AcquireAsync(cancellationToken));
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
        string[] command = [RequireServer.Installed("caddy", "caddy"), "run", "--config", WriteConfiguration()];
        if (_options.HostNames.Count > 0)
        {
            command = PrivateHosts.Wrap(_folder, _options.HostNames, command);
        }

        _process = ChildProcess.Start(command[0], command.Skip(1), new Dictionary<string, string?>
        {
            ["HOME"] = _folder.Path,
            ["XDG_CONFIG_HOME"] = null,
            ["XDG_DATA_HOME"] = null,
        });
        using var client = CreateClient();
        await StartAttempts.UntilAnswersAsync(
            _process,
            async token => (await client.GetAsync(DirectoryUrl, token)).IsSuccessStatusCode && File.Exists(RootPath),
            cancellationToken);
    }

    private string WriteConfiguration()
    {
        var certificate = new
        {
            certificate = _folder.Write("https.pem", _certificate.CertificatePem),
            key = _folder.Write("https-key.pem", _certificate.PrivateKeyPem),
        };
        var acme = new
        {
            listen = new[] { $"127.0.0.1:{_port}" },
            automatic_https = new { disable = true },
            tls_connection_policies = new[] { new { } },
            routes = new[] { new { handle = new[] { new { handler = "acme_server", ca = "local" } } } },
        };
        return _folder.Write("caddy.json", JsonSerializer.Serialize(new
        {
            admin = new { disabled = true, config = new { persist = false } },
            storage = new { module = "file_system", root = _folder.Combine("storage") },
            apps = new
            {
                pki = new { certificate_authorities = new { local = new { name = "Caddy test", install_trust = false } } },
                tls = new { certificates = new { load_files = new[] { certificate } } },
                http = new { servers = new { acme } },
            },
        }));
    }
}
