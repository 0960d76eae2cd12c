using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Servers;

/// <summary>Runs the sample as a user does.</summary>
public sealed class ConsoleClientTests : ServerTest
{
    [Fact]
    public async Task Run_AgainstPebble_WritesACertificateAndTellsTheSteps()
    {
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { NonceRejectPercent = 5 }, Cancellation);
        using var folder = new TemporaryFolder();

        await using var process = Start(
            "--directory", pebble.DirectoryUrl.AbsoluteUri, "--domain", "a.example", "--domain", "127.0.0.1", "--accept-terms",
            "--email", "me@example.com", "--http-port", pebble.HttpPort.ToString(CultureInfo.InvariantCulture),
            "--trusted-roots", pebble.TrustedRootsPath, "--out", folder.Path);
        var code = await process.WaitForExitAsync(TimeSpan.FromMinutes(1), Cancellation);

        Assert.True(code == 0, process.Output);
        Assert.Matches("(?s)^directory.*account.*order.*challenge.*finalize.*issued.*written", process.Output);
        using var certificate = X509Certificate2.CreateFromPemFile(folder.Combine("fullchain.pem"), folder.Combine("privkey.pem"));
        Assert.True(certificate.HasPrivateKey);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.Combine("privkey.pem")));
        }
    }

    [Theory]
    [InlineData("--directory is missing or not a URL", "--domain", "a.example")]
    [InlineData("--domain is missing", "--directory", "https://acme.test/directory")]
    [InlineData("is not an https URL", "--directory", "http://acme.test/directory", "--domain", "a.example")]
    [InlineData("Unknown option --what", "--what", "x")]
    [InlineData(
        "--http-port 99999 is not a port",
        "--directory", "https://acme.test/directory", "--domain", "a.example", "--http-port", "99999")]
    public async Task Run_WrongArguments_SaysWhich(string expected, params string[] arguments)
    {
        await using var process = Start(arguments);

        Assert.Equal(2, await process.WaitForExitAsync(cancellationToken: Cancellation));
        Assert.Contains(expected, process.Output, StringComparison.Ordinal);
    }

    private static ChildProcess Start(params string[] arguments) =>
        ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "ConsoleClient.dll"), .. arguments]);
}
