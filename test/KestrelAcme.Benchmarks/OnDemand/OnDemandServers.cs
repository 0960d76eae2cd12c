using System.Globalization;
using System.Net;
using System.Text.Json;
using KestrelAcme.Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Benchmarks.OnDemand;

/// <summary>Starts the servers, each in a process of its own: an app with certificates on demand, and Caddy.</summary>
internal static class OnDemandServers
{
    public const string Child = "child";

    /// <summary>Names below this one are allowed, unless a URL is asked.</summary>
    public const string Allowed = "customers.example";

    /// <summary>The app's own, configured name.</summary>
    public const string OwnName = "app.example";

    private const string HandshakeSeconds = "HandshakeSeconds";

    /// <summary>The app, in the process that <see cref="StartOurs"/> starts. Its settings are variables.</summary>
    public static async Task<int> RunChildAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning);
        if (builder.Configuration[HandshakeSeconds] is { } seconds)
        {
            var timeout = TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture));
            builder.WebHost.ConfigureKestrel(
                kestrel => kestrel.ConfigureHttpsDefaults(https => https.HandshakeTimeout = timeout));
        }

        var acme = builder.Services.AddAcmeHttps();
        if (builder.Configuration["AcmeHttps:OnDemand:AskUrl"] is null)
        {
            acme.AddOnDemand(static (name, _, _) => new(
                name.EndsWith($".{Allowed}", StringComparison.Ordinal) ? IssuanceDecision.Allow() : IssuanceDecision.Deny()));
        }

        await using var app = builder.Build();
        app.MapGet("/", () => "Hello");
        await app.RunAsync();
        return 0;
    }

    /// <summary>Starts the app.</summary>
    /// <param name="urls">Its endpoints.</param>
    /// <param name="directory">The CA, and the roots of its own certificate.</param>
    /// <param name="store">The folder of its store.</param>
    /// <param name="settings">What differs, below <c>AcmeHttps</c>.</param>
    /// <param name="handshake">The handshake time-out in seconds; Kestrel's if null.</param>
    public static ChildProcess StartOurs(
        string urls, (Uri Url, string RootsPath) directory, string store, Dictionary<string, string> settings, int? handshake = null)
    {
        var environment = new Dictionary<string, string?>
        {
            // As an app is run; only the tests switch the diagnostics off.
            ["DOTNET_EnableDiagnostics"] = null,
            ["ASPNETCORE_URLS"] = urls,
            ["AcmeHttps__DomainNames__0"] = OwnName,
            ["AcmeHttps__DirectoryUrl"] = directory.Url.ToString(),
            ["AcmeHttps__TrustedRootsPath"] = directory.RootsPath,
            ["AcmeHttps__AcceptTermsOfService"] = "true",
            ["AcmeHttps__StoragePath"] = store,
        };
        foreach (var (key, value) in settings)
        {
            environment[$"AcmeHttps__{key}"] = value;
        }

        if (handshake is not null)
        {
            environment[HandshakeSeconds] = handshake.Value.ToString(CultureInfo.InvariantCulture);
        }

        var self = Environment.ProcessPath!;
        string[] arguments = Path.GetFileNameWithoutExtension(self) == "dotnet"
            ? [typeof(OnDemandServers).Assembly.Location, "ondemand", Child]
            : ["ondemand", Child];
        return ChildProcess.Start(self, arguments, environment);
    }

    /// <summary>Starts Caddy with <c>on_demand_tls { ask }</c> and http-01.</summary>
    public static ChildProcess StartCaddy(
        string caddy, IPEndPoint https, IPEndPoint http, PebbleServer pebble, string askUrl, TemporaryFolder folder)
    {
        var challenges = new Dictionary<string, object>
        {
            ["bind_host"] = http.Address.ToString(),
            ["http"] = new { alternate_port = http.Port },
            ["tls-alpn"] = new { disabled = true },
        };
        var issuer
            = new { module = "acme", ca = pebble.DirectoryUrl, trusted_roots_pem_files = new[] { pebble.TrustedRootsPath }, challenges };
        var hello = new { handle = new[] { new { handler = "static_response", body = "Hello" } } };
        var servers = new
        {
            tls = new
            {
                listen = new[] { https.ToString() },
                tls_connection_policies = new[] { new { } },
                automatic_https = new { disable_redirects = true },
                routes = new[] { hello },
            },
            plain = new { listen = new[] { http.ToString() }, routes = new[] { hello } },
        };
        var automation = new
        {
            on_demand = new { ask = askUrl },
            policies = new[] { new { on_demand = true, issuers = new[] { issuer } } },
        };
        var configuration = JsonSerializer.Serialize(new
        {
            admin = new { disabled = true },
            logging = new { logs = new Dictionary<string, object> { ["default"] = new { level = "WARN" } } },
            storage = new { module = "file_system", root = folder.Combine("caddy") },
            apps = new { http = new { http_port = http.Port, https_port = https.Port, servers }, tls = new { automation } },
        });
        return ChildProcess.Start(caddy, ["run", "--config", folder.Write("caddy.json", configuration)], new Dictionary<string, string?>
        {
            ["HOME"] = folder.Path,
            ["XDG_CONFIG_HOME"] = null,
            ["XDG_DATA_HOME"] = null,
        });
    }
}
