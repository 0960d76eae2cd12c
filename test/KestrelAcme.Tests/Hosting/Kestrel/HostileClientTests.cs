using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>Connections that begin with invalid bytes are refused soon, and nothing is logged above Debug.</summary>
public sealed class HostileClientTests
{
    private static readonly TestAuthority Authority = new();

    public static TheoryData<string> Names => [.. Inputs.Keys];

    private static Dictionary<string, byte[]> Inputs { get; } = new()
    {
        ["truncated"] = ClientHelloBuilder.For("a.test").Build()[..40],
        ["one byte"] = [22],
        ["oversized"] = Oversized(),
        ["many records"] = [.. ClientHelloBuilder.For("a.test").Build(1)[..^6], .. new byte[] { 22, 3, 1, 0, 0 }],
        ["record of no bytes"] = [22, 3, 1, 0, 0],
        ["record of 0x8000 bytes"] = [22, 3, 1, 0x80, 0, 1, 2, 3],
        ["another message"] = [22, 3, 1, 0, 4, 2, 0, 0, 0],
        ["an alert"] = [21, 3, 1, 0, 2, 2, 40],
        ["HTTP"] = "GET / HTTP/1.1\r\n\r\n"u8.ToArray(),
        ["zeros"] = new byte[100],
        ["SSL 2"] = [0x80, 0x2E, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10],
        ["SNI with NUL"] = ClientHelloBuilder.For("a\0.test").Build(),
        ["SNI of 300 bytes"] = ClientHelloBuilder.For(new string('a', 60) + string.Concat(Enumerable.Repeat(".bcdefghi", 30))).Build(),
        ["SNI with an address"] = ClientHelloBuilder.For("192.0.2.1").Build(),
        ["two names"] = TwoNames(),
        ["random"] = RandomBytes(),
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Connect_HostileBytes_RefusedAndQuiet(string name)
    {
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0")
                .ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => https.HandshakeTimeout = TimeSpan.FromSeconds(1))),
            Token);
        app.Publisher.Publish(Authority.Issue("a.test"));

        using var client = new TcpClient();
        await client.ConnectAsync(app.EndPoint, Token);
        await client.GetStream().WriteAsync(Inputs[name], Token);
        var received = await ReadToEndAsync(client.GetStream());

        // No response, or an alert. Kestrel responds to bytes that are not TLS.
        Assert.True(received.Length == 0 || received[0] == 21, Convert.ToHexString(received));
        Assert.DoesNotContain(
            app.Logs.Lines,
            entry => entry.Level >= LogLevel.Information && !entry.Category.StartsWith("Microsoft.Hosting", StringComparison.Ordinal));

        // On a busy machine, the short time-out can end this one, too.
        await Poll.UntilAsync(
            async token => (await TlsProbe.ConnectAsync(app.EndPoint, "a.test", token)).Name == "a.test",
            "a handshake",
            cancellationToken: Token);
    }

    [Theory]
    [InlineData("Kestrel:Certificates:Default", "SNI with NUL")]
    [InlineData("Kestrel:Certificates:Default", "two names")]
    [InlineData("Kestrel:Certificates:Default", "random")]
    [InlineData("Kestrel:Endpoints:Web:Sni:*:Certificate", "SNI with NUL")]
    [InlineData("Kestrel:Endpoints:Web:Sni:a.test:Certificate", "SNI of 300 bytes")]
    [InlineData("Kestrel:Endpoints:Web:Sni:a.test:Certificate", "two names")]
    [InlineData("Kestrel:Endpoints:Web:Sni:a.test:Certificate", "oversized")]
    public async Task Connect_HostileBytesBesideTheAppsCertificates_RefusedAndQuiet(string section, string name)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Combine("own.pfx");
        using (var own = Authority.IssueWithKey("own.test"))
        {
            await File.WriteAllBytesAsync(path, own.Export(X509ContentType.Pkcs12, "secret"), Token);
        }

        await using var app = await KestrelApp.StartAsync(
            _ => { }, Token,
            configuration: new()
            {
                ["Kestrel:Endpoints:Web:Url"] = "https://127.0.0.1:0",
                [$"{section}:Path"] = path,
                [$"{section}:Password"] = "secret",
            });

        using var client = new TcpClient();
        await client.ConnectAsync(app.EndPoint, Token);
        await client.GetStream().WriteAsync(Inputs[name], Token);
        var received = await ReadToEndAsync(client.GetStream());

        // A handshake would begin with the certificate, which must not be sent.
        Assert.True(received.Length <= 7 && (received.Length == 0 || received[0] == 21), Convert.ToHexString(received));
        Assert.DoesNotContain(
            app.Logs.Lines,
            entry => entry.Level >= LogLevel.Information && !entry.Category.StartsWith("Microsoft.Hosting", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Connect_HalfAHello_ClosedAtTheTimeout()
    {
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0").ConfigureKestrel(
                kestrel => kestrel.ConfigureHttpsDefaults(https => https.HandshakeTimeout = TimeSpan.FromMilliseconds(100))),
            Token);
        using var client = new TcpClient();
        await client.ConnectAsync(app.EndPoint, Token);
        await client.GetStream().WriteAsync(Inputs["truncated"], Token);

        Assert.Empty(await ReadToEndAsync(client.GetStream()));
        Assert.Contains(app.Logs.Lines, entry => entry.Message.Contains("did not send a complete ClientHello", StringComparison.Ordinal));
    }

    private static async Task<byte[]> ReadToEndAsync(NetworkStream stream)
    {
        using var received = new MemoryStream();
        try
        {
            await stream.CopyToAsync(received, Token);
        }
        catch (IOException)
        {
            // Reset: the server closed the connection before it read all bytes.
        }

        return received.ToArray();
    }

    private static byte[] Oversized()
    {
        var builder = ClientHelloBuilder.For("a.test");
        builder.Extensions.Add((0x1234, new byte[60_000]));
        builder.Suites = new ushort[5_000];
        return builder.Build();
    }

    private static byte[] TwoNames()
    {
        var builder = ClientHelloBuilder.For("a.test");
        builder.ServerNames.Add("b.test"u8.ToArray());
        return builder.Build();
    }

    private static byte[] RandomBytes()
    {
        var bytes = new byte[4000];
        new Random(7).NextBytes(bytes);
        bytes[0] = 22;
        return bytes;
    }
}
