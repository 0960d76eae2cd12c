using KestrelAcme.Challenges.Http01;
using KestrelAcme.Hosting;
using KestrelAcme.Storage;
using KestrelAcme.Tests.Challenges;
using KestrelAcme.Tests.Diagnostics;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Challenges;

/// <summary>What is answered below <c>/.well-known/acme-challenge/</c>, on a real Kestrel.</summary>
public sealed class ChallengePathTests
{
    private const string Token = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
    private const string Unknown = "unknown-DADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr";
    private const string Name = "app.test";
    private const string Answer = Token + ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/.well-known/acme-challenge/unknown", 404)]
    [InlineData("GET", "/.well-known/acme-challenge/" + Token, 200)]
    [InlineData("HEAD", "/.well-known/acme-challenge/" + Token, 200)]
    [InlineData("POST", "/.well-known/acme-challenge/" + Token, 405)]
    [InlineData("GET", "/.well-known/acme-challenge/../x", 418)]
    [InlineData("GET", "/.well-known/acme-challenge/%2e%2e/x", 418)]
    [InlineData("GET", "/.well-known/acme-challenge/%2e%2e/%2e%2e/x", 418)]
    [InlineData("GET", "//.well-known/acme-challenge/" + Token, 418)]
    [InlineData("GET", "/.well-known/acme-challenge", 418)]
    public async Task Request_AnyPath_GetsItsStatus(string method, string target, int status)
    {
        await using var app = await StartAsync();

        var (actual, answer) = await RawHttp.SendAsync(app.Http, method, target, "app.test", Cancelled);

        Assert.Equal(status, actual);
        Assert.Equal(method == "GET" && status == 200, answer.EndsWith("\r\n\r\n" + Answer, StringComparison.Ordinal));
        Assert.Equal(status == 200, answer.Contains($"Content-Length: {Answer.Length}", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/" + Token)]
    [InlineData(Token + "/")]
    [InlineData("caf%C3%A9")]
    [InlineData("a%2Fb")]
    [InlineData("a%20b")]
    [InlineData("a.b")]
    [InlineData("LONG")]
    public async Task Request_MalformedToken_IsNotLookedUp(string token)
    {
        WatchedStorage? storage = null;
        await using var app = await StartAsync(inner => storage = new WatchedStorage(inner));
        var target = $"{Http01Path.Prefix}{(token == "LONG" ? new string('a', 257) : token)}";

        var before = LookUps(storage!);

        var (status, _) = await RawHttp.SendAsync(app.Http, "GET", target, "app.test", Cancelled);

        Assert.Equal(404, status);
        Assert.Equal(before, LookUps(storage!));
    }

    [Theory]
    [InlineData(Unknown, Name, 1)]
    [InlineData(Unknown, "APP.test.", 1)]
    [InlineData(Unknown, "other.test", 0)]
    [InlineData(Unknown, "127.0.0.1", 0)]
    [InlineData("unknown", Name, 0)]
    public async Task Request_UnknownToken_IsLookedUpOnceForAManagedName(string token, string host, int lookUps)
    {
        WatchedStorage? storage = null;
        await using var app = await StartAsync(inner => storage = new WatchedStorage(inner));
        var before = LookUps(storage!);

        var (status, _) = await RawHttp.SendAsync(app.Http, "GET", Http01Path.Prefix + token, host, Cancelled);

        Assert.Equal(404, status);
        Assert.Equal(before + lookUps, LookUps(storage!));
    }

    [Fact]
    public async Task Invoke_OtherRequest_AllocatesNothing()
    {
        var storage = new InMemoryStorage(TimeProvider.System);
        var table = new Http01TokenTable(
            BoundedFixture.Around(storage), new FakeThumbprints(), TimeProvider.System, NullLogger<Http01TokenTable>.Instance);
        var middleware = new Http01Middleware(
            _ => Task.CompletedTask, table, stateless: null!, names: null!, MetricReader.Unread(), NullLogger<Http01Middleware>.Instance);
        var context = new DefaultHttpContext();
        context.Request.Path = "/.well-known/acme-challeng/x";
        await middleware.InvokeAsync(context);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            _ = middleware.InvokeAsync(context);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int LookUps(WatchedStorage storage)
        => storage.Reads.Count(key => key.StartsWith("challenges/", StringComparison.Ordinal));

    private static async Task<AcmeApp> StartAsync(Func<IAcmeStorage, IAcmeStorage>? wrap = null)
    {
        var settings = new Dictionary<string, string?>
        {
            ["AcmeHttps:DomainNames:0"] = Name,
            ["AcmeHttps:Issuance"] = "ServeOnly",
            ["AcmeHttps:DirectoryUrl"] = "https://127.0.0.1:1/directory",
            ["AcmeHttps:AcceptTermsOfService"] = "true",
        };
        var inner = new InMemoryStorage(TimeProvider.System);
        var app = await AcmeApp.StartAsync(
            settings,
            acme => acme.UseStorage(_ => wrap?.Invoke(inner) ?? inner),
            pipeline: web => web.MapFallback(() => Results.StatusCode(418)),
            cancellationToken: Cancelled);
        await app.Services.GetRequiredService<Http01TokenTable>().AddAsync(Token, Answer, null, Cancelled);
        return app;
    }
}
