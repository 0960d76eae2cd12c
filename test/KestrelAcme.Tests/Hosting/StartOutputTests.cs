using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Tests.Hosting;

/// <summary>The output in the terminal when an app starts or fails to start.</summary>
public sealed class StartOutputTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_WrongConfiguration_OneProblemALineAndNoStack()
    {
        await using var app = Start(new()
        {
            ["AcmeHttps__DomainNames__0"] = "a b",
            ["AcmeHttps__DomainNames__1"] = "http://app.test",
            ["AcmeHttps__SelfChek"] = "true",
            ["AcmeHttps__AcceptTermsOfService"] = "yes",
            ["AcmeHttps__KeyAlgorithm"] = "Rsa1024",
        });

        Assert.NotEqual(0, await app.WaitForExitAsync(cancellationToken: Cancelled));

        // Once, in the log: the exception that ends the process does not repeat them.
        string[] problems =
        [
            "DomainNames:0 = 'a b'", "DomainNames:1 = 'http://app.test'", "SelfChek", "AcceptTermsOfService = 'yes'",
            "KeyAlgorithm = 'Rsa1024'",
        ];
        Assert.All(
            problems,
            problem => Assert.Matches(
                "[.?]$",
                Assert.Single(app.Lines, line => line.TrimStart().StartsWith("AcmeHttps:" + problem, StringComparison.Ordinal))));
        Assert.EndsWith(
            "The configuration of automatic HTTPS (section AcmeHttps) is not valid. The problems are in the log.",
            Assert.Single(app.Lines, line => line.StartsWith("Unhandled exception.", StringComparison.Ordinal)),
            StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", app.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_NoHttpsAndNoNames_NothingAboveInformation()
    {
        await using var app = Start([]);
        await app.WaitForLineAsync("TestApp: listening", cancellationToken: Cancelled);
        await app.WaitForLineAsync("No domain names are configured", cancellationToken: Cancelled);

        Assert.True(await app.StopAsync(cancellationToken: Cancelled));

        Assert.All(app.Lines, line => Assert.DoesNotMatch("^(warn|fail|crit):", line));
    }

    private static ChildProcess Start(Dictionary<string, string?> environment)
    {
        environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePort.Tcp()}";
        environment["DOTNET_DbgEnableMiniDump"] = "0";
        var dotnet = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        var program = Path.Join(AppContext.BaseDirectory, "KestrelAcme.TestApp.dll");
        return ChildProcess.Start(dotnet, ["exec", program], environment, Path.GetTempPath());
    }
}
