using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;

namespace KestrelAcme.Benchmarks.Cold;

/// <summary>Publishes the app in its three forms, and configures them and Caddy alike: one name, http-01, the same ports.</summary>
internal sealed class Contestants(TemporaryFolder folder, PebbleServer pebble, string rootPem, int httpsPort)
{
    public const string Name = "cold.example";

    public async Task<List<Contestant>> PrepareAsync()
    {
        using var certificate = LoopbackCertificate.Create(Name);
        var jit = await PublishAsync("jit");
        var r2r = await PublishAsync("r2r");
        var aot = await PublishAsync("aot");
        string[] runJit = ["dotnet", Path.Combine(jit, "KestrelAcme.ColdStart.dll")];
        var contestants = new List<Contestant>
        {
            new("the app without us, JIT", runJit, Without(certificate), certificate.RootPem, true, []),
            new("ours, JIT", runJit, Ours, rootPem, true, Assemblies(jit)),
            new("ours, ReadyToRun", ["dotnet", Path.Combine(r2r, "KestrelAcme.ColdStart.dll")], Ours, rootPem, true, Assemblies(r2r)),
            new(
                "ours, NativeAOT",
                [Path.Combine(aot, "KestrelAcme.ColdStart")],
                Ours,
                rootPem,
                true,
                [Path.Combine(aot, "KestrelAcme.ColdStart")]),
        };
        if (Executable.Find("caddy") is { } caddy)
        {
            contestants.Add(new("Caddy", [caddy, "run", "--config", "caddy.json"], Caddy, rootPem, false, [caddy]));
        }

        return contestants;
    }

    private static List<string> Assemblies(string published) => [.. Directory.EnumerateFiles(published, "KestrelAcme*.dll")];

    private async Task<string> PublishAsync(string form)
    {
        var output = folder.Combine(form);
        List<string> arguments =
        [
            "publish", ProjectPath(), "-c", "Release", "-o", output, "-v", "q", $"-p:PublishedAs={form}", "-nodeReuse:false",
            "-p:UseSharedCompilation=false",
        ];
        if (form != "jit")
        {
            arguments.AddRange(["-r", RuntimeInformation.RuntimeIdentifier]);
        }

        Console.Error.WriteLine($"publishing {form} ...");
        var result = await Command.RunAsync("dotnet", arguments, timeout: TimeSpan.FromMinutes(15));
        return result.ExitCode == 0 ? output : throw new InvalidOperationException($"dotnet publish ({form}) failed:\n{result.Output}");
    }

    private static string ProjectPath()
    {
        for (var parent = new DirectoryInfo(AppContext.BaseDirectory); parent is not null; parent = parent.Parent)
        {
            var project = Path.Combine(parent.FullName, "test", "KestrelAcme.ColdStart", "KestrelAcme.ColdStart.csproj");
            if (File.Exists(project))
            {
                return project;
            }
        }

        throw new InvalidOperationException($"test/KestrelAcme.ColdStart was not found above {AppContext.BaseDirectory}");
    }

    private Dictionary<string, string?> Listening() => new()
    {
        // As an app is run; only the tests switch the diagnostics off.
        ["DOTNET_EnableDiagnostics"] = null,
        ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{pebble.HttpPort};https://127.0.0.1:{httpsPort}",
        ["Logging__LogLevel__Default"] = "Warning",
    };

    private Func<string, IReadOnlyDictionary<string, string?>> Without(LoopbackCertificate certificate)
    {
        var (leaf, key) = (
            folder.Write("static.pem", certificate.CertificatePem), folder.Write("static-key.pem", certificate.PrivateKeyPem));
        return _ => new Dictionary<string, string?>(Listening())
        {
            ["AcmeHttps__Enabled"] = "false",
            ["Kestrel__Certificates__Default__Path"] = leaf,
            ["Kestrel__Certificates__Default__KeyPath"] = key,
        };
    }

    private Dictionary<string, string?> Ours(string store) => new(Listening())
    {
        ["AcmeHttps__DomainNames__0"] = Name,
        ["AcmeHttps__DirectoryUrl"] = pebble.DirectoryUrl.ToString(),
        ["AcmeHttps__TrustedRootsPath"] = pebble.TrustedRootsPath,
        ["AcmeHttps__AcceptTermsOfService"] = "true",
        ["AcmeHttps__StoragePath"] = Path.Combine(store, "store"),
    };

    private Dictionary<string, string?> Caddy(string store)
    {
        var challenges = new Dictionary<string, object>
        {
            ["http"] = new { alternate_port = pebble.HttpPort },
            ["tls-alpn"] = new { disabled = true },
        };
        var issuer
            = new { module = "acme", ca = pebble.DirectoryUrl, trusted_roots_pem_files = new[] { pebble.TrustedRootsPath }, challenges };
        var server = new
        {
            listen = new[] { $"127.0.0.1:{httpsPort}" },
            routes = new[]
            {
                new
                {
                    match = new[] { new { host = new[] { Name } } },
                    handle = new[] { new { handler = "static_response", body = "Hello" } },
                },
            },
        };
        var configuration = new
        {
            admin = new { disabled = true },
            logging = new { logs = new Dictionary<string, object> { ["default"] = new { level = "WARN" } } },
            storage = new { module = "file_system", root = Path.Combine(store, "store") },
            apps = new
            {
                http = new { http_port = pebble.HttpPort, https_port = httpsPort, servers = new { cold = server } },
                tls = new { automation = new { policies = new[] { new { subjects = new[] { Name }, issuers = new[] { issuer } } } } },
            },
        };
        File.WriteAllText(Path.Combine(store, "caddy.json"), JsonSerializer.Serialize(configuration));
        return new Dictionary<string, string?> { ["HOME"] = store, ["XDG_CONFIG_HOME"] = null, ["XDG_DATA_HOME"] = null };
    }
}
