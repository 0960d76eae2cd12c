using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Tests.Tls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>All ways to configure Kestrel, with a real Kestrel.</summary>
public sealed class EndpointConfigurationTests
{
    private static readonly TestAuthority Authority = new();

    public static TheoryData<string> Names => [.. EndpointCases.All.Select(c => c.Name)];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Endpoint_AsConfigured_ServesWhatItShould(string name)
        => CheckAsync(EndpointCases.All.Single(c => c.Name == name));

    /// <summary>A later version of Kestrel may keep them elsewhere.</summary>
    [Theory]
    [InlineData("endpoint defaults after")]
    [InlineData("endpoint defaults with middleware")]
    [InlineData("endpoint defaults that turn TLS on")]
    public Task Endpoint_DefaultsOfTheAppCannotBeRead_ServesWhatItShould(string name)
        => CheckAsync(EndpointCases.All.Single(c => c.Name == name) with
        {
            Before = builder => builder.Services.AddSingleton(new AppEndpointDefaults(static _ => throw new MissingMethodException())),
        });

    private static async Task CheckAsync(EndpointCase wanted)
    {
        await using var app = await KestrelApp.StartAsync(
            builder => wanted.After?.Invoke(builder), Token, environment: wanted.Environment, slim: wanted.Slim, before: wanted.Before,
            configuration: wanted.Configuration);
        app.Publisher.Publish(Authority.Issue("a.test"));

        var answer = "";
        var managed = await TlsProbe.ConnectAsync(
            app.EndPoint, "a.test", async (stream, probe) => answer = await AskAsync(stream, probe), Token, Offer);
        Assert.Equal(wanted.Managed ?? "a.test", managed.Name);
        Assert.Equal(wanted.Protocol, answer);
        if (wanted.Managed is null)
        {
            Assert.Equal(Authority.Intermediate.Thumbprint, Assert.Single(managed.Sent).Thumbprint);
            Assert.True(app.Endpoints.AnyIsOurs);
        }

        await CheckForeignAsync(app, wanted.Foreign);
        await CheckChallengeAsync(app);
        Assert.True(app.Endpoints.IsApplied);
        wanted.Check?.Invoke(app.Endpoints);
        Assert.DoesNotContain(
            app.Logs.Lines,
            entry => entry.Level >= LogLevel.Warning && !entry.Message.Contains("HTTP/3 is not enabled", StringComparison.Ordinal));
    }

    private static async Task CheckForeignAsync(KestrelApp app, string? expected)
    {
        if (expected is null)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => TlsProbe.ConnectAsync(app.EndPoint, "foreign.test", Token, Offer));
        }
        else
        {
            Assert.Equal(expected, (await TlsProbe.ConnectAsync(app.EndPoint, "foreign.test", Token, Offer)).Name);
        }
    }

    // A CA can reach any endpoint that listens on port 443, regardless of the certificate that it serves.
    private static async Task CheckChallengeAsync(KestrelApp app)
    {
        using var challenge = Authority.IssueWithKey("challenge.test");
        app.Publisher.PresentChallenge("a.test", "one", challenge);

        var probe = await TlsProbe.ConnectAsync(
            app.EndPoint, "a.test", Token, options => options.ApplicationProtocols = [new SslApplicationProtocol("acme-tls/1")]);

        Assert.Equal(challenge.Thumbprint, probe.Leaf.Thumbprint);
        Assert.Equal(new SslApplicationProtocol("acme-tls/1"), probe.Protocol);
    }

    private static void Offer(SslClientAuthenticationOptions options)
        => options.ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

    // The first frame of an HTTP/2 connection is the server's SETTINGS.
    private static async Task<string> AskAsync(SslStream stream, TlsProbe probe)
    {
        var http2 = probe.Protocol == SslApplicationProtocol.Http2;
        await stream.WriteAsync(
            http2
                ? Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0")
                : "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"u8.ToArray(),
            Token);
        var buffer = new byte[9];
        await stream.ReadExactlyAsync(buffer, Token);
        return http2 ? (buffer[3] == 4 ? "HTTP/2" : "?") : Encoding.ASCII.GetString(buffer, 0, 8);
    }
}
