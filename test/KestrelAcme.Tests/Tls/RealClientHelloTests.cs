using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Tls;
using Xunit;

namespace KestrelAcme.Tests.Tls;

/// <summary>
/// Reads ClientHellos of real clients, captured during the test. The result must match the request and .NET's own reader.
/// </summary>
public sealed class RealClientHelloTests
{
    private static readonly string[] Names =
    [
        "a.test",
        "www.example.test",
        "UPPER.Example.TEST",
        "xn--bcher-kva.test",
        "a-very-long-label-of-a-name-with-many-characters-in-it.example.test",
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    [InlineData("-alpn", "h2,http/1.1")]
    [InlineData("-alpn", "acme-tls/1")]
    [InlineData("-alpn", "acme-tls/1,h2")]
    [InlineData("-tls1_2", "-alpn", "acme-tls/1")]
    [InlineData("-sigalgs", "RSA-PSS+SHA256")]
    [InlineData("-sigalgs", "ECDSA+SHA256")]
    [InlineData("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")]
    [InlineData("-groups", "P-256:P-384:X448")]
    [InlineData("-status", "-nextprotoneg", "h2")]
    public async Task OpenSsl_Arguments_Read(params string[] arguments)
    {
        var openssl = RequireServer.Installed("openssl", "openssl");
        var acme = Array.IndexOf(arguments, "acme-tls/1") >= 0;
        foreach (var name in Names)
        {
            var hello = await CheckAsync(
                port => Command.RunAsync(
                    openssl,
                    ["s_client", "-connect", $"127.0.0.1:{port}", "-servername", name, .. arguments],
                    cancellationToken: Token),
                name,
                acme);
            Assert.Equal(!arguments.Contains("-tls1_2"), hello.OffersTls13);
            Assert.Equal(
                !arguments.Contains("RSA-PSS+SHA256") && !arguments.Contains("-cipher"), (hello.AcceptedKeys & KeyKinds.EcdsaP256) != 0);
            Assert.Equal(!arguments.Contains("ECDSA+SHA256"), (hello.AcceptedKeys & KeyKinds.Rsa) != 0);
        }

        await CheckAsync(
            port => Command.RunAsync(
                openssl, ["s_client", "-connect", $"127.0.0.1:{port}", "-noservername", .. arguments], cancellationToken: Token),
            null,
            acme);
    }

    [Theory]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    [InlineData("--no-alpn")]
    [InlineData("--tls-max", "1.2")]
    [InlineData("--tlsv1.3")]
    public async Task Curl_Arguments_Read(params string[] arguments)
    {
        var curl = RequireServer.Installed("curl", "curl");
        foreach (var name in Names)
        {
            await CheckAsync(
                port => Command.RunAsync(
                    curl,
                    ["-sk", "--noproxy", "*", "--resolve", $"{name}:{port}:127.0.0.1", $"https://{name}:{port}/", .. arguments],
                    cancellationToken: Token),
                name,
                false);
        }

        await CheckAsync(
            port => Command.RunAsync(curl, ["-sk", "--noproxy", "*", $"https://127.0.0.1:{port}/", .. arguments], cancellationToken: Token),
            null,
            false);
    }

    [Theory]
    [InlineData(SslProtocols.None, "h2", "http/1.1")]
    [InlineData(SslProtocols.None, "acme-tls/1")]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13, "http/1.1")]
    public async Task DotNet_Options_Read(SslProtocols protocols, params string[] alpn)
    {
        foreach (var name in Names)
        {
            await CheckAsync(port => ConnectAsync(port, name, protocols, alpn), name, alpn is ["acme-tls/1"]);
        }
    }

    [Fact]
    public async Task Go_ReverseProxyOfCaddy_Read()
    {
        var caddy = RequireServer.Installed("caddy", "caddy");
        foreach (var name in Names[..2])
        {
            using var folder = new TemporaryFolder();
            using var capture = new ClientHelloCapture();
            var port = FreePort.Tcp();
            var file = folder.Write(
                "Caddyfile",
                $"{{\n admin off\n}}\nhttp://127.0.0.1:{port} {{\n reverse_proxy https://127.0.0.1:{capture.Port} {{\n "
                + $"transport http {{\n tls_server_name {name}\n tls_insecure_skip_verify\n}}\n}}\n}}\n");
            await using var process = ChildProcess.Start(
                caddy, ["run", "--config", file, "--adapter", "caddyfile"], new Dictionary<string, string?> { ["HOME"] = folder.Path });
            await process.WaitForLineAsync("serving initial configuration", cancellationToken: Token);
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            var request = client.GetAsync(new Uri($"http://127.0.0.1:{port}/"), Token);

            await CompareAsync(await capture.NextAsync(Token), name, false);
            using var answer = await request;
        }
    }

    [Fact]
    public async Task Chromium_Navigation_Read()
    {
        var chromium = Executable.Find("google-chrome") ?? Executable.Find("chromium-browser")
            ?? RequireServer.Installed("chromium", "chromium");
        using var folder = new TemporaryFolder();
        using var capture = new ClientHelloCapture();
        string[] arguments =
        [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            $"--user-data-dir={folder.Combine("profile")}",
            "--host-resolver-rules=MAP a.test 127.0.0.1",
            "--dump-dom",
            $"https://a.test:{capture.Port}/",
        ];

        // It goes on trying: it is killed once it has sent what is wanted.
        await using var process = ChildProcess.Start(chromium, arguments, new Dictionary<string, string?> { ["TMPDIR"] = folder.Path });
        await CompareAsync(await capture.NextAsync(Token), "a.test", false);
    }

    private static async Task<ClientHello> CheckAsync(Func<int, Task> connect, string? name, bool acme)
    {
        using var capture = new ClientHelloCapture();
        var next = capture.NextAsync(Token);
        var connecting = connect(capture.Port);
        var bytes = await next;
        var hello = await CompareAsync(bytes, name, acme);
        await connecting.ContinueWith(static _ => { }, Token, TaskContinuationOptions.None, TaskScheduler.Default);
        return hello;
    }

    private static async Task<ClientHello> CompareAsync(byte[] bytes, string? name, bool acme)
    {
        Assert.Equal(
            ClientHelloStatus.Complete, new ClientHelloReader().Read(ClientHelloMutator.Segment.Split(bytes, 97), out var inPieces));
        Assert.Equal(ClientHelloStatus.Complete, new ClientHelloReader().Read(new ReadOnlySequence<byte>(bytes), out var hello));
        Assert.Equal(hello, inPieces);
        Assert.Equal((name?.ToLowerInvariant(), acme), (hello.ServerName, hello.IsAcmeTls));
        // .NET returns the name in Unicode.
        var other = await ClientHelloCapture.ReadByDotNetAsync(bytes, Token);
        Assert.Equal(other.Length == 0 ? null : new IdnMapping().GetAscii(other).ToLowerInvariant(), hello.ServerName);
        return hello;
    }

    private static async Task ConnectAsync(int port, string name, SslProtocols protocols, string[] alpn)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, Token);
        await using var stream = new SslStream(new NetworkStream(socket));
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = name,
                EnabledSslProtocols = protocols,
                ApplicationProtocols = [.. alpn.Select(p => new SslApplicationProtocol(p))],
            },
            Token);
    }
}
