using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Samples.Tests;

/// <summary>samples/Native as NativeAOT published it, against Pebble.</summary>
public sealed class NativeTests : IDisposable
{
    private const string Name = "native.example";

    private readonly TemporaryFolder _store = new();
    private readonly int _http = FreePort.Tcp();
    private readonly int _https = FreePort.Tcp();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Start_NothingStored_IssuesServesResumesAndRenews()
    {
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { HttpPort = _http }, Cancelled);
        var root = await pebble.GetIssuingRootPemAsync(cancellationToken: Cancelled);
        await using var app = Start(pebble);
        var first = await ServedAsync(root, app);
        using var folder = new TemporaryFolder();
        var session = Path.Combine(folder.Path, "session");

        // The session is written when the connection ends, after the server's tickets have arrived with its response.
        var full = await AskAsync("-sess_out", session);
        var resumed = await AskAsync("-sess_in", session);
        using var client = new HttpClient();
        using var renewed = await client.PostAsync(new Uri($"http://127.0.0.1:{_http}/renew/{Name}"), null, Cancelled);
        var second = await ServedAsync(root, app);

        Assert.Contains("Hello from a native binary over HTTPS", full, StringComparison.Ordinal);
        Assert.Contains("Reused, TLSv1.3", resumed, StringComparison.Ordinal);
        Assert.True(renewed.IsSuccessStatusCode, app.Output);
        Assert.NotEqual(first, second);
        Assert.DoesNotContain("fail:", app.Output, StringComparison.Ordinal);
        Assert.True(await app.StopAsync(cancellationToken: Cancelled), app.Output);
    }

    [Fact]
    public async Task Restart_KilledWhileOrdering_OneOrderIsIssuedAndServed()
    {
        await using var pebble = await PebbleServer.StartAsync(
            new PebbleOptions { HttpPort = _http, Sleeps = true, ValidationSleep = TimeSpan.FromSeconds(2) }, Cancelled);
        var root = await pebble.GetIssuingRootPemAsync(cancellationToken: Cancelled);
        await using (var killed = Start(pebble))
        {
            // The challenge is out, and the CA takes its time.
            await killed.WaitForLineAsync("http-01", TimeSpan.FromSeconds(60), Cancelled);
        }

        await using var app = Start(pebble);
        var served = await ServedAsync(root, app);
        await app.DisposeAsync();
        await using var again = Start(pebble);

        Assert.Equal(served, await ServedAsync(root, again));
        Assert.Single(pebble.Output.Split('\n'), line => line.Contains("Issued certificate serial", StringComparison.Ordinal));
    }

    private ChildProcess Start(PebbleServer pebble) => ChildProcess.Start(
        Binary(),
        [],
        new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{_http};https://127.0.0.1:{_https}",
            ["Logging__LogLevel__KestrelAcme"] = "Debug",
            ["AcmeHttps__DomainNames__0"] = Name,
            ["AcmeHttps__DirectoryUrl"] = pebble.DirectoryUrl.ToString(),
            ["AcmeHttps__TrustedRootsPath"] = pebble.TrustedRootsPath,
            ["AcmeHttps__AcceptTermsOfService"] = "true",
            ["AcmeHttps__StoragePath"] = _store.Path,
        },
        _store.Path);

    /// <returns>The serial number of the certificate that is served and that the CA's root verifies.</returns>
    private async Task<string> ServedAsync(string root, ChildProcess app)
    {
        var serial = "";
        await Poll.UntilAsync(
            async cancellationToken =>
            {
                var chain = await OpenSsl.ShowCertificatesAsync(_https, Name, rootsPem: root, cancellationToken: cancellationToken);
                if (chain.VerifyReturnCode != "0 (ok)")
                {
                    return false;
                }

                using X509Certificate2 leaf = chain.LoadLeaf();
                serial = leaf.SerialNumber;
                return true;
            },
            $"a certificate that verifies. Output:\n{app.Output}",
            TimeSpan.FromSeconds(60),
            Cancelled);
        return serial;
    }

    private async Task<string> AskAsync(string option, string session)
    {
        var result = await Command.RunAsync(
            RequireServer.Installed("openssl", "openssl"),
            ["s_client", "-connect", $"127.0.0.1:{_https}", "-servername", Name, "-ign_eof", option, session],
            $"GET / HTTP/1.1\r\nHost: {Name}\r\nConnection: close\r\n\r\n",
            cancellationToken: Cancelled);
        return result.Output;
    }

    /// <summary>The published binary; skips the running test where it was not published.</summary>
    private static string Binary()
    {
        var root = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "..", ".."));
        var binary = Path.Combine(root, "artifacts", "native", "Native");
        if (!File.Exists(binary))
        {
            RequireServer.Missing("samples/Native is not published (dotnet publish samples/Native -c Release -o artifacts/native).");
        }

        return binary;
    }
}
