using System.Globalization;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.RestartStorm.Tests;

/// <summary>One application with one store, started again and again in processes of its own, with the engine's own times.</summary>
internal sealed class StormApp(Uri directoryUrl, string trustedRootsPath, string storePath, string domainName, int httpPort)
{
    private readonly int _httpsPort = FreePort.Tcp();

    /// <summary>Starts it, and kills it after a while.</summary>
    /// <returns>What it wrote.</returns>
    public async Task<string> LiveAsync(TimeSpan life, TimeSpan? clockAhead = null)
    {
        await using var process = Start(clockAhead);
        await Task.Delay(life, TimeProvider.System, TestContext.Current.CancellationToken);
        await process.KillAsync(TestContext.Current.CancellationToken);
        return process.Output;
    }

    public ChildProcess Start(TimeSpan? clockAhead = null) => ChildProcess.Start(
        "dotnet", ["exec", Path.Join(AppContext.BaseDirectory, "KestrelAcme.TestApp.dll")], Environment(clockAhead), Path.GetTempPath());

    /// <summary>Whether some output tells that the application came to listen.</summary>
    public static bool Listened(string output) => output.Contains("TestApp: listening", StringComparison.Ordinal);

    private Dictionary<string, string?> Environment(TimeSpan? clockAhead) => new()
    {
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
        ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{httpPort};https://127.0.0.1:{_httpsPort}",
        ["Logging__LogLevel__KestrelAcme"] = "Debug",
        ["STANDARD_TIMES"] = "1",
        ["CLOCK_AHEAD"] = clockAhead?.ToString("c", CultureInfo.InvariantCulture),
        ["AcmeHttps__DirectoryUrl"] = directoryUrl.ToString(),
        ["AcmeHttps__TrustedRootsPath"] = trustedRootsPath,
        ["AcmeHttps__StoragePath"] = storePath,
        ["AcmeHttps__AcceptTermsOfService"] = "true",
        ["AcmeHttps__EmailAddress"] = "admin@example.com",
        ["AcmeHttps__DomainNames__0"] = domainName,
    };
}
