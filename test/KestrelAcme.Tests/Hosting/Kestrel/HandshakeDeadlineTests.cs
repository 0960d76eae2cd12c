using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>The app's time-out for handshakes includes the time before the ClientHello.</summary>
public sealed class HandshakeDeadlineTests
{
    private static readonly TestAuthority Authority = new();

    // Kestrel's own time-out, in real time, is much longer than the test.
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connect_SlowHelloAndThenSilence_ClosedAtTheEndOfTheTimeout()
    {
        await using var app = await StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(app.EndPoint, Token);
        var hello = Hello();
        await client.GetStream().WriteAsync(hello.AsMemory(0, 40), Token);
        await _time.WhenTimerDueWithinAsync(Timeout, Token);
        _time.Advance(Timeout - TimeSpan.FromSeconds(1));

        await client.GetStream().WriteAsync(hello.AsMemory(40), Token);
        var answer = new byte[16 * 1024];
        Assert.NotEqual(0, await client.GetStream().ReadAsync(answer, Token));
        Assert.Equal(22, answer[0]); // A handshake record, not an alert.
        await _time.WhenTimerDueWithinAsync(TimeSpan.FromSeconds(1), Token);
        _time.Advance(TimeSpan.FromSeconds(1));

        await EndedAsync(client.GetStream()).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Token);
        Assert.DoesNotContain(
            app.Logs.Lines,
            entry => entry.Level >= LogLevel.Information && !entry.Category.StartsWith("Microsoft.Hosting", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Connect_SlowHelloAndThenAHandshake_TheConnectionLastsBeyondTheTimeout()
    {
        await using var app = await StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(app.EndPoint, Token);
        await _time.WhenTimerDueWithinAsync(Timeout, Token);
        _time.Advance(Timeout - TimeSpan.FromSeconds(1));

        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "a.test",
                RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null,
            },
            Token);
        await GetAsync(tls);
        _time.Advance(TimeSpan.FromMinutes(1));

        await GetAsync(tls);
    }

    private async Task<KestrelApp> StartAsync()
    {
        var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0")
                .ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => https.HandshakeTimeout = Timeout)),
            Token,
            before: builder => builder.Services.AddSingleton<TimeProvider>(_time));
        var now = _time.GetUtcNow();
        app.Publisher.Publish(
            Authority.Issue(["a.test"], ECDsa.Create(ECCurve.NamedCurves.nistP256), notBefore: now.AddDays(-1), notAfter: now.AddDays(89)));
        return app;
    }

    // TLS 1.2 with P-256: the server responds and then waits for the client.
    private static byte[] Hello()
    {
        var builder = ClientHelloBuilder.For("a.test");
        builder.Versions = [0x0303];
        builder.Extensions.Add((10, [0, 2, 0, 23]));
        return builder.Build();
    }

    private static async Task GetAsync(SslStream tls)
    {
        await tls.WriteAsync("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"u8.ToArray(), Token);
        var buffer = new byte[4096];
        var answer = "";
        while (!answer.EndsWith("0\r\n\r\n", StringComparison.Ordinal))
        {
            var length = await tls.ReadAsync(buffer, Token);
            Assert.NotEqual(0, length);
            answer += Encoding.ASCII.GetString(buffer, 0, length);
        }

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
    }

    private static async Task EndedAsync(NetworkStream stream)
    {
        try
        {
            var buffer = new byte[4096];
            while (await stream.ReadAsync(buffer, Token) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A reset ends the connection, too.
        }
    }
}
