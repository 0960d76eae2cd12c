using System.Text.RegularExpressions;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Samples.Tests.Packages;

/// <summary>
/// An empty folder in which a test creates an app with the packages, as a new user would. The .NET CLI and NuGet have a home and caches of
/// their own, and no source but the packages.
/// </summary>
internal sealed partial class NewApp : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _folder = new();

    public NewApp()
    {
        Directory.CreateDirectory(Path);
        Directory.CreateDirectory(_folder.Combine("tmp"));
        Directory.CreateDirectory(_folder.Combine("gallery"));
        Directory.CreateDirectory(_folder.Combine("home"));

        // The file of the README. The folder in place of the gallery is empty: what is not in the packages comes with the SDK.
        var settings = Blocks("xml").Single(block => block.Contains("packageSourceMapping", StringComparison.Ordinal));
        Assert.Contains("<packageSource key=\"nuget.org\">", settings, StringComparison.Ordinal);
        _folder.Write("app/nuget.config", settings
            .Replace("path/to/packages", PackedPackages.Folder(), StringComparison.Ordinal)
            .Replace("<packageSources>", $"<packageSources><clear /><add key=\"nuget.org\" value=\"{_folder.Combine("gallery")}\" />"));
    }

    /// <summary>The folder of the app.</summary>
    public string Path => _folder.Combine("app");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>The code blocks of the README in a language.</summary>
    public static IEnumerable<string> Blocks(string language)
        => CodeBlock().Matches(File.ReadAllText(System.IO.Path.Combine(BuiltSample.Root(), "README.md")))
            .Where(match => match.Groups[1].Value == language)
            .Select(match => match.Groups[2].Value);

    public void Dispose() => _folder.Dispose();

    /// <summary>Writes a file of the app.</summary>
    public void Write(string name, string content) => _folder.Write($"app/{name}", content);

    /// <summary>Reads a file of the app.</summary>
    public string Read(string name) => File.ReadAllText(_folder.Combine("app", name));

    /// <summary>Runs the .NET CLI in the folder of the app, and fails the test if it fails.</summary>
    /// <returns>Its output.</returns>
    public async Task<string> DotnetAsync(params string[] arguments)
    {
        await using var process = ChildProcess.Start("dotnet", arguments, Environment(), Path);
        var code = await process.WaitForExitAsync(Limit, Cancelled);
        Assert.True(code == 0, $"dotnet {string.Join(' ', arguments)} ended with {code}:\n{process.Output}");
        return process.Output;
    }

    /// <summary>Starts the built app with the settings that it has, waits until it listens, and stops it.</summary>
    /// <returns>Its output.</returns>
    public async Task<string> StartAsync(string program, string environmentName)
    {
        var environment = Environment();
        environment["ASPNETCORE_ENVIRONMENT"] = environmentName;
        environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePort.Tcp()};https://127.0.0.1:{FreePort.Tcp()}";
        environment["AcmeHttps__StoragePath"] = _folder.Combine("first");
        await using var app = ChildProcess.Start("dotnet", [$"bin/Debug/net10.0/{program}.dll"], environment, Path);
        try
        {
            await app.WaitForLineAsync("Application started", Limit, Cancelled);
            await app.StopAsync(cancellationToken: Cancelled);
        }
        catch (InvalidOperationException)
        {
            // It ended, and its output has the reason.
        }

        return app.Output;
    }

    /// <summary>Starts the built app with Pebble as its CA, and waits until it serves a certificate of Pebble.</summary>
    public async Task<string> AnswerAsync(string program, string name)
    {
        var (http, https) = (FreePort.Tcp(), FreePort.Tcp());
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { HttpPort = http }, Cancelled);
        var root = _folder.Write("root.pem", await pebble.GetIssuingRootPemAsync(cancellationToken: Cancelled));
        var environment = Environment();
        environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{http};https://127.0.0.1:{https}";
        environment["AcmeHttps__DirectoryUrl"] = pebble.DirectoryUrl.ToString();
        environment["AcmeHttps__TrustedRootsPath"] = pebble.TrustedRootsPath;
        environment["AcmeHttps__AcceptTermsOfService"] = "true";
        environment["AcmeHttps__StoragePath"] = _folder.Combine("store");
        await using var app = ChildProcess.Start("dotnet", [$"bin/Debug/net10.0/{program}.dll"], environment, Path);
        var answer = "";
        await Poll.UntilAsync(
            async cancellationToken =>
            {
                var chain = await OpenSsl.ShowCertificatesAsync(
                    https, name, rootsPem: await File.ReadAllTextAsync(root, cancellationToken), cancellationToken: cancellationToken);
                return app.HasExited || chain.VerifyReturnCode == "0 (ok)";
            },
            () => $"a certificate that verifies. Output:\n{app.Output}",
            TimeSpan.FromSeconds(60),
            Cancelled);
        if (!app.HasExited)
        {
            var result = await Command.RunAsync(
                RequireServer.Installed("curl", "curl"),
                ["--silent", "--show-error", "--cacert", root, "--resolve", $"{name}:{https}:127.0.0.1", $"https://{name}:{https}/"],
                cancellationToken: Cancelled);
            answer = result.Output;
            await app.StopAsync(cancellationToken: Cancelled);
        }

        Assert.True(answer.Length > 0 && app.ExitCode == 0, app.Output);
        return answer;
    }

    private Dictionary<string, string?> Environment() => new()
    {
        ["HOME"] = _folder.Combine("home"),
        ["DOTNET_CLI_HOME"] = _folder.Combine("home"),
        ["NUGET_PACKAGES"] = _folder.Combine("cache"),
        ["TMPDIR"] = _folder.Combine("tmp"),
        ["DOTNET_NOLOGO"] = "1",
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        ["DOTNET_CLI_UI_LANGUAGE"] = "en",
        ["DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE"] = "true",
        ["DOTNET_GENERATE_ASPNET_CERTIFICATE"] = "false",

        // No build process outlives the test.
        ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
        ["MSBUILDDISABLENODEREUSE"] = "1",
        ["UseSharedCompilation"] = "false",

        ["ASPNETCORE_ENVIRONMENT"] = null,
        ["DOTNET_ENVIRONMENT"] = null,
    };

    [GeneratedRegex("^```(\\w+)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();
}
