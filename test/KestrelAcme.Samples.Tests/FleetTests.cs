using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Samples.Tests;

/// <summary>The built samples/Fleet, with a folder in place of Redis.</summary>
public sealed class FleetTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_AsAProgram_OneInstanceOrdersAndTheyTakeTurns()
    {
        using var folder = new TemporaryFolder();
        var port = FreePort.Tcp();
        var project = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", ".."));
        var program = Path.Combine(
            project, "..", "..", "samples", "Fleet", Path.GetRelativePath(project, AppContext.BaseDirectory), "Fleet.dll");
        var environment = new Dictionary<string, string?>
        {
            ["HTTP_PORT"] = $"{FreePort.Tcp()}",
            ["HTTPS_PORT"] = $"{port}",
            ["REDIS"] = "",
        };
        await using var sample = ChildProcess.Start("dotnet", ["exec", Path.GetFullPath(program)], environment, folder.Path);

        await sample.WaitForLineAsync("Press Ctrl+C to stop.", TimeSpan.FromMinutes(2), Cancelled);

        Assert.Single(sample.Lines, line => line.Contains("The order for fleet.localhost was placed.", StringComparison.Ordinal));
        Assert.Contains(sample.Lines, line => line.StartsWith("The CA has issued 1 certificate(s)", StringComparison.Ordinal));
        var serials = sample.Lines.Where(line => line.StartsWith("Instance ", StringComparison.Ordinal))
            .Select(line => line.Split(' ')[^1])
            .ToList();
        Assert.Equal(3, serials.Count);
        Assert.Single(serials.Distinct());
        using var anchor = X509CertificateLoader.LoadCertificateFromFile(folder.Combine(".kestrel-acme/authority/root.pem"));
        var greetings = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            greetings.Add(await GreetingAsync(port, anchor));
        }

        Assert.Equal(["Hello from instance 1", "Hello from instance 2", "Hello from instance 3"], greetings.Order(StringComparer.Ordinal));
        Assert.True(await sample.StopAsync(cancellationToken: Cancelled), sample.Output);
        Assert.True(sample.ExitCode == 0, sample.Output);
    }

    private static async Task<string> GreetingAsync(int port, X509Certificate2 anchor)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, port, Cancelled);
        await using var tls = new SslStream(socket.GetStream());
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(anchor);
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "fleet.localhost", CertificateChainPolicy = policy }, Cancelled);
        await tls.WriteAsync("GET / HTTP/1.1\r\nHost: fleet.localhost\r\nConnection: close\r\n\r\n"u8.ToArray(), Cancelled);
        using var reader = new StreamReader(tls, Encoding.ASCII);
        var lines = (await reader.ReadToEndAsync(Cancelled)).Split('\n');
        return lines.Single(line => line.StartsWith("Hello", StringComparison.Ordinal)).Trim();
    }
}
