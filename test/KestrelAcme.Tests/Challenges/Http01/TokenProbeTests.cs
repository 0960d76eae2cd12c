using System.Net;
using KestrelAcme.Challenges.Http01;
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
    public async Task Ask_Redirected_IsForeignUnlessOurOwnHttpsIsMeant(string location, bool foreign)
    {
        var result = await AskAsync(context => context.Response.Redirect(location, permanent: true));

        Assert.False(result.IsOurs);
        Assert.Equal(foreign, result.ForeignAnswer is not null);
    }

    [Theory]
    [InlineData("answer", true)]
    [InlineData("answer\n", true)]
    [InlineData("<html>", false)]
    public async Task Ask_Answered_IsOursWhereItIsTheKeyAuthorization(string body, bool ours)
    {
        var result = await AskAsync(context => context.Response.WriteAsync(body, Cancelled).GetAwaiter().GetResult());

        Assert.Equal(ours, result.IsOurs);
        Assert.Equal(ours, result.ForeignAnswer is null);
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

    private static async Task<TokenProbeResult> AskAsync(Action<HttpContext> answer, string host = "app.test")
    {
        var builder = WebApplication.CreateSlimBuilder();
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
