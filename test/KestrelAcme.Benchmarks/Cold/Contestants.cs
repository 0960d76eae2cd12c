using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;

namespace KestrelAcme.Benchmarks.Cold;

/// <summary>
/// Packs the products, publishes the app with these packages in its three forms, and with the products' source for comparison, and
/// configures all of them and Caddy alike: one name, http-01, the same ports.
/// </summary>
internal sealed class Contestants(TemporaryFolder folder, PebbleServer pebble, string rootPem, int httpsPort)
{
    public const string Name = "cold.example";
    private const string App = "KestrelAcme.ColdStart";

    /// <param name="onlyNative">Whether only the native binaries and Caddy take part.</param>
    public async Task<List<Contestant>> PrepareAsync(bool onlyNative)
    {
        using var certificate = LoopbackCertificate.Create(Name);
        var packages = await PackAsync();
        var aot = Path.Combine(await PublishAsync("aot", packages), App);
        var without = Without(certificate);
        var contestants = new List<Contestant>
        {
            new(Contestant.WithoutNative, [aot], without, certificate.RootPem, true, [aot]),
            new(Contestant.OursNative, [aot], Ours, rootPem, true, [aot]),
        };
        if (!onlyNative)
        {
            var jit = await PublishAsync("jit", packages);
            var r2r = await PublishAsync("r2r", packages);
            var source = await PublishAsync("jit", packages: null);
            string[] runJit = ["dotnet", Path.Combine(jit, $"{App}.dll")];
            contestants.InsertRange(
                0,
                [
                    new(Contestant.WithoutJit, runJit, without, certificate.RootPem, true, []),
                    new(Contestant.OursJit, runJit, Ours, rootPem, true, Assemblies(jit)),
                    new("ours, ReadyToRun", ["dotnet", Path.Combine(r2r, $"{App}.dll")], Ours, rootPem, true, Assemblies(r2r)),
                    new("ours, JIT, from source", ["dotnet", Path.Combine(source, $"{App}.dll")], Ours, rootPem, true, Assemblies(source)),
                ]);
        }

        if (Executable.Find("caddy") is { } caddy)
        {
            contestants.Add(new(Contestant.CaddyServer, [caddy, "run", "--config", "caddy.json"], Caddy, rootPem, false, [caddy]));
        }

        return contestants;
    }

    // A portable app holds a library twice: as IL, and compiled ahead below runtimes/.
    private static List<string> Assemblies(string published)
        => [.. Directory.EnumerateFiles(published, "KestrelAcme*.dll", SearchOption.AllDirectories)];

    private async Task<string> PackAsync()
    {
        var packages = folder.Combine("packages");
        foreach (var product in (string[])["KestrelAcme.Protocol", "KestrelAcme.DnsClient", "KestrelAcme"])
        {
            await RunDotNetAsync(["pack", ProjectPath("src", product), "-o", packages]);
        }

        return packages;
    }

    private async Task<string> PublishAsync(string form, string? packages)
    {
        var output = folder.Combine(packages is null ? $"{form}-source" : form);
        List<string> arguments =
            ["publish", ProjectPath("test", App), "-o", output, $"-p:PublishedAs={form}", $"-p:PackagesFrom={packages}"];
        if (form != "jit")
        {
            arguments.AddRange(["-r", RuntimeInformation.RuntimeIdentifier]);
        }

        await RunDotNetAsync(arguments);
        return output;
    }

    // A node or a compiler that stays would hold on to the output. The version is one that no cache of packages has.
    private static async Task RunDotNetAsync(List<string> arguments)
    {
        Console.Error.WriteLine($"dotnet {string.Join(' ', arguments)}");
        string[] always =
        [
            "-c", "Release", "-v", "q", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-p:RunAnalyzers=false",
            "-p:Version=0.1.0-cold",
        ];
        var result = await Command.RunAsync("dotnet", [.. arguments, .. always], timeout: TimeSpan.FromMinutes(15));
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"dotnet {string.Join(' ', arguments)} failed:\n{result.Output}");
        }
    }

    private static string ProjectPath(string root, string name)
    {
        for (var parent = new DirectoryInfo(AppContext.BaseDirectory); parent is not null; parent = parent.Parent)
        {
            var project = Path.Combine(parent.FullName, root, name, $"{name}.csproj");
            if (File.Exists(project))
            {
                return project;
            }
        }

        throw new InvalidOperationException($"{root}/{name} was not found above {AppContext.BaseDirectory}");
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
