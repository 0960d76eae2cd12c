using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Testing.Servers;

/// <summary>PowerDNS with the SQLite backend: an authoritative server whose zones are changed over an HTTP API.</summary>
public sealed class PowerDnsServer : IAsyncDisposable
{
    private const string Schema = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _client;
    private ChildProcess? _process;

    private PowerDnsServer()
    {
        ApiUrl = new Uri($"http://127.0.0.1:{FreePort.Tcp()}/");
        _client = CreateClient();
    }

    /// <summary>The DNS endpoint, over UDP and TCP.</summary>
    public IPEndPoint Address { get; } = new(IPAddress.Loopback, FreePort.TcpAndUdp());

    /// <summary>The root of the HTTP API: zones are at `api/v1/servers/localhost/zones`.</summary>
    public Uri ApiUrl { get; }

    /// <summary>The API key for X-API-Key.</summary>
    public string ApiKey { get; } = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));

    /// <summary>Its output.</summary>
    public string Output => _process?.Output ?? "";

    /// <summary>Starts PowerDNS with the given zones (without a trailing dot); skips the running test if it is not installed.</summary>
    public static Task<PowerDnsServer> StartAsync(string[] zones, CancellationToken cancellationToken = default)
    {
        RequireServer.Installed("pdns_server", "pdns-server");
        if (!File.Exists(Schema))
        {
            RequireServer.Missing($"'{Schema}' is not there (apt-get install pdns-backend-sqlite3).");
        }

        return StartAttempts.RunAsync(() => StartOnceAsync(zones, cancellationToken));
    }

    /// <summary>A client with <see cref="ApiKey"/> in its headers; the caller disposes it.</summary>
    public HttpClient CreateClient()
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = ApiUrl };
        client.DefaultRequestHeaders.Add("X-API-Key", ApiKey);
        return client;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _client.Dispose();
        _folder.Dispose();
    }

    private static async Task<PowerDnsServer> StartOnceAsync(string[] zones, CancellationToken cancellationToken)
    {
        var server = new PowerDnsServer();
        try
        {
            await server.LaunchAsync(cancellationToken);
            foreach (var zone in zones)
            {
                await server.AddZoneAsync(zone, cancellationToken);
            }

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
        var database = _folder.Combine("pdns.sqlite3");
        await Command.RunToSuccessAsync(
            RequireServer.Installed("sqlite3", "sqlite3"), [database], await File.ReadAllTextAsync(
                Schema, cancellationToken), cancellationToken);
        _folder.Write("pdns.conf", CreateConfiguration(database));
        _process = ChildProcess.Start(RequireServer.Installed("pdns_server", "pdns-server"), [$"--config-dir={_folder.Path}"]);
        await StartAttempts.UntilAnswersAsync(
            _process,
            async token => (await _client.GetAsync(new Uri("api/v1/servers/localhost/zones", UriKind.Relative), token)).IsSuccessStatusCode,
            cancellationToken);
    }

    private async Task AddZoneAsync(string zone, CancellationToken cancellationToken)
    {
        var body = new { name = zone + ".", kind = "Native", nameservers = new[] { $"ns1.{zone}." } };
        using var response = await _client.PostAsJsonAsync("api/v1/servers/localhost/zones", body, cancellationToken);
        response.EnsureSuccessStatusCode();
        var address = new { content = "127.0.0.1", disabled = false };
        var glue = new { name = $"ns1.{zone}.", type = "A", ttl = 5, changetype = "REPLACE", records = new[] { address } };
        using var patched = await _client.PatchAsJsonAsync(
            $"api/v1/servers/localhost/zones/{zone}.", new { rrsets = new[] { glue } }, cancellationToken);
        patched.EnsureSuccessStatusCode();
    }

    // Caches are off so that a test sees changes at once. The security poll would contact the internet.
    private string CreateConfiguration(string database) => $"""
        launch=gsqlite3
        gsqlite3-database={database}
        gsqlite3-dnssec=no
        local-address={Address.Address}
        local-port={Address.Port}
        socket-dir={_folder.Path}
        daemon=no
        guardian=no
        disable-syslog=yes
        security-poll-suffix=
        webserver=yes
        webserver-address=127.0.0.1
        webserver-port={ApiUrl.Port}
        api=yes
        api-key={ApiKey}
        cache-ttl=0
        query-cache-ttl=0
        negquery-cache-ttl=0
        zone-cache-refresh-interval=0
        default-ttl=5

        """;
}
