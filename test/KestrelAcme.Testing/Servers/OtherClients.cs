using System.Globalization;
using System.Text.Json;
using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Testing.Servers;

/// <summary>Other ACME clients from Debian, which leave a folder with certificates and an account.</summary>
public static class OtherClients
{
    /// <summary>Obtains a certificate with Certbot; skips the running test if it is not installed.</summary>
    /// <param name="directoryUrl">The directory of the CA.</param>
    /// <param name="trustedRootsPath">The roots of its HTTPS.</param>
    /// <param name="httpPort">The port of http-01, which must be free.</param>
    /// <param name="folder">Becomes a folder as /etc/letsencrypt is.</param>
    /// <param name="names">The names of the certificate.</param>
    /// <param name="cancellationToken">Cancels waiting.</param>
    public static Task RunCertbotAsync(
        Uri directoryUrl,
        string trustedRootsPath,
        int httpPort,
        string folder,
        IReadOnlyList<string> names,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(directoryUrl);
        return Command.RunToSuccessAsync(
            "env",
            [
                $"REQUESTS_CA_BUNDLE={trustedRootsPath}", "no_proxy=127.0.0.1", RequireServer.Installed("certbot", "certbot"),
                "certonly", "-n", "--agree-tos", "-m", "admin@example.com", "--server", directoryUrl.OriginalString,
                "--standalone", "--http-01-address", "127.0.0.1", "--http-01-port", httpPort.ToString(CultureInfo.InvariantCulture),
                "--config-dir", folder, "--work-dir", $"{folder}-work", "--logs-dir", $"{folder}-logs",
                .. names.SelectMany(name => new[] { "-d", name }),
            ],
            cancellationToken: cancellationToken);
    }

    /// <summary>
    /// Obtains a certificate for each name with Caddy, and ends it; skips the running test if it is not installed.
    /// </summary>
    /// <param name="directoryUrl">The directory of the CA.</param>
    /// <param name="trustedRootsPath">The roots of its HTTPS.</param>
    /// <param name="ports">The ports of http-01 and tls-alpn-01, which must be free.</param>
    /// <param name="folder">Becomes the storage of Caddy.</param>
    /// <param name="names">The names.</param>
    /// <param name="cancellationToken">Cancels waiting.</param>
    public static async Task RunCaddyAsync(
        Uri directoryUrl,
        string trustedRootsPath,
        (int Http, int Tls) ports,
        string folder,
        IReadOnlyList<string> names,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(directoryUrl);
        using var home = new TemporaryFolder();
        var issuer = new
        {
            module = "acme",
            ca = directoryUrl.OriginalString,
            email = "admin@example.com",
            trusted_roots_pem_files = new[] { trustedRootsPath },
        };
        var server = new
        {
            listen = new[] { $"127.0.0.1:{ports.Tls}" },
            routes = new[] { new { match = new[] { new { host = names } } } },
        };
        var configuration = home.Write("caddy.json", JsonSerializer.Serialize(new
        {
            admin = new { disabled = true, config = new { persist = false } },
            storage = new { module = "file_system", root = folder },
            apps = new
            {
                http = new { http_port = ports.Http, https_port = ports.Tls, servers = new { server } },
                tls = new { automation = new { policies = new[] { new { issuers = new[] { issuer } } } } },
            },
        }));
        await using var process = ChildProcess.Start(
            RequireServer.Installed("caddy", "caddy"), ["run", "--config", configuration],
            new Dictionary<string, string?> { ["HOME"] = home.Path, ["XDG_CONFIG_HOME"] = null, ["XDG_DATA_HOME"] = null });
        await Poll.UntilAsync(
            () => names.All(name => IsThere(folder, name)),
            () => $"Caddy's certificates\n{process.Output}",
            cancellationToken: cancellationToken);
        await process.StopAsync(cancellationToken: cancellationToken);
    }

    private static bool IsThere(string folder, string name)
        => Directory.Exists(folder)
            && Array.TrueForAll(
                [".crt", ".key", ".json"], end => Directory.EnumerateFiles(folder, name + end, SearchOption.AllDirectories).Any());
}
