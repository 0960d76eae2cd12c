using System.Net;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Http01;

public sealed class TokenProbeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("https://app.test/.well-known/acme-challenge/token", false)]
    [InlineData("https://app.test:8443/.well-known/acme-challenge/token", false)]
    [InlineData("https://other.test/.well-known/acme-challenge/token", true)]
    [InlineData("https://app.test/login", true)]
    [InlineData("http://app.test/.well-known/acme-challenge/token", true)]
    public async Task Ask_Redirect_IsForeignUnlessToOwnHttps(string location, bool foreign)
    {
        var result = await AskAsync(context => context.Response.Redirect(location, permanent: true));

        Assert.False(result.IsOurs);
        Assert.Equal(foreign, result.ForeignResponse is not null);
    }

    [Theory]
    [InlineData("answer", true)]
    [InlineData("answer\n", true)]
    [InlineData("<html>", false)]
    public async Task Ask_Response_IsOursIfItIsTheKeyAuthorization(string body, bool ours)
    {
        var result = await AskAsync(context => context.Response.WriteAsync(body, Cancelled).GetAwaiter().GetResult());

        Assert.Equal(ours, result.IsOurs);
        Assert.Equal(ours, result.ForeignResponse is null);
    }

    [Theory]
    [InlineData("app.test", "app.test")]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8::1", "[2001:db8::1]")]
    public async Task Ask_NameOrAddress_IsTheHost(string host, string expected)
    {
        var asked = "";

        await AskAsync(context => asked = context.Request.Host.Value, host);

        Assert.Equal(expected, asked);
    }

    /// <summary>Any response of another server is a result and no exception.</summary>
    [Fact]
    public async Task Ask_InvalidResponses_AreResults()
    {
        await using var server = new OddHttpServer();
        string[] templates =
        [
            "HTTP/1.1 301 Moved\r\nLocation: https://app.test/.well-known/acme-challenge/token\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nanswer",
            "HTTP/1.1 307 Moved\r\nLocation: //app.test:8443/%2e?a#b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ];
        var probe = new TokenProbe(TimeProvider.System);
        foreach (var answer in OddAnswers.Redirects.Concat(OddAnswers.Mutations(seed: 1, count: 300, templates)))
        {
            server.Answer = answer;

            Assert.NotNull(await probe.AskAsync(server.EndPoint, "app.test", "token", "answer", Cancelled));
        }
    }

    [Theory]
    [InlineData("//")]
    [InlineData("https://xn--/")]
    [InlineData("https://[::1/")]
    public async Task Ask_InvalidLocation_IsForeign(string location)
    {
        await using var server = new OddHttpServer { Answer = OddAnswers.Latin1(
            $"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n") };

        var result = await new TokenProbe(TimeProvider.System).AskAsync(server.EndPoint, "app.test", "token", "answer", Cancelled);

        Assert.Equal("status 301", result.ForeignResponse);
    }

    [Fact]
    public async Task Ask_NoResponse_DescribesWhatTheAddressDid()
    {
        using var silent = new SilentListener(IPAddress.Parse("127.0.0.2"));
        var time = new FakeTimeProvider();
        var asking = new TokenProbe(time).AskAsync(silent.EndPoint, "app.test", "token", "answer", Cancelled);
        await time.RunUntilCompleteAsync(asking, TimeSpan.FromMinutes(1), TimeSpan.FromMilliseconds(20), Cancelled);
        var closed = new IPEndPoint(IPAddress.Loopback, FreePort.Tcp());

        Assert.Equal("did not respond within 3 s", (await asking).Silence);
        Assert.Equal("refused the connection",
            (await new TokenProbe(TimeProvider.System).AskAsync(closed, "app.test", "token", "answer", Cancelled)).Silence);
    }

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("fd00:ec2::254")]
    public async Task Ask_NameLeadsToAMetadataService_IsNotAsked(string address)
    {
        var probe = new TokenProbe(TimeProvider.System, (_, _) => throw new InvalidOperationException("It was connected to."));

        Assert.StartsWith("is not asked",
            (await probe.AskAsync(new IPEndPoint(IPAddress.Parse(address), 80), "app.test", "token", "answer", Cancelled)).Silence,
            StringComparison.Ordinal);
    }

    private static async Task<TokenProbeResult> AskAsync(Action<HttpContext> answer, string host = "app.test")
    {
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using var app = builder.Build();
        app.Run(context =>
        {
            answer(context);
            return Task.CompletedTask;
        });
        await app.StartAsync(Cancelled);
        var endpoint = new IPEndPoint(IPAddress.Loopback, new Uri(app.Urls.First()).Port);
        return await new TokenProbe(TimeProvider.System).AskAsync(endpoint, host, "token", "answer", Cancelled);
    }
}
