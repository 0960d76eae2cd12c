using System.Net;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Status;

/// <summary>The status page beside other services and middleware of the app.</summary>
public sealed class StatusBesideOthersTests
{
    private const string Path = "/acme-status";
    private const string Name = "status.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>The page is needed most when HTTPS does not work.</summary>
    [Fact]
    public async Task Get_AntiforgeryNeedsHttps_ShowsThePageWithoutItsButton()
    {
        await using var app = await StartAsync(
            web => web.MapAcmeHttpsStatus().RequireAuthorization(policy => policy.RequireAssertion(static _ => true)),
            builder =>
            {
                builder.Services.AddAuthorization();
                builder.Services.AddAntiforgery(options => options.Cookie.SecurePolicy = CookieSecurePolicy.Always);
            });
        using var form = new FormUrlEncodedContent([new("certificate", Name)]);
        using var client = new HttpClient { BaseAddress = new Uri($"http://{app.Http}") };

        var (status, _, html) = await GetAsync(app, "text/html");
        using var posted = await client.PostAsync(Path, form, Cancelled);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.BadRequest), (status, posted.StatusCode));
        Assert.Contains($"<h2 id=\"name0\">{Name}</h2>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"renew0\"", html, StringComparison.Ordinal);
        Assert.Contains("Certificates cannot be renewed on this page: ", html, StringComparison.Ordinal);
        Assert.Contains("AntiforgeryOptions.Cookie.SecurePolicy = Always", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_OutputCache_KeepsNothing()
    {
        await using var app = await StartAsync(Cached, CacheEverything);

        var (_, first, _) = await GetAsync(app, "text/html");
        var (_, second, _) = await GetAsync(app, "application/json");

        Assert.Equal(("text/html", "application/json"), (first, second));
    }

    /// <summary>The cache lets one request for a page go ahead, and has the others wait for its response.</summary>
    [Fact]
    public async Task Get_OutputCacheAndAnEventStream_DoesNotWaitForItsEnd()
    {
        await using var app = await StartAsync(Cached, CacheEverything);
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{app.Http}{Path}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var stream = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);

        var (_, type, _) = await GetAsync(app, "text/html").WaitAsync(TimeSpan.FromMinutes(1), Cancelled);

        Assert.Equal(("text/event-stream", "text/html"), (stream.Content.Headers.ContentType?.MediaType, type));
    }

    private static void Cached(WebApplication web)
    {
        web.UseOutputCache();
        web.MapAcmeHttpsStatus();
    }

    private static void CacheEverything(WebApplicationBuilder builder)
        => builder.Services.AddOutputCache(options => options.AddBasePolicy(policy => policy.Cache()));

    private static Task<AcmeApp> StartAsync(Action<WebApplication> pipeline, Action<WebApplicationBuilder> configure)
        => AcmeApp.StartAsync(
            new Dictionary<string, string?>
            {
                ["AcmeHttps:Issuance"] = "ServeOnly",
                ["AcmeHttps:DirectoryUrl"] = "https://127.0.0.1:1/directory",
                ["AcmeHttps:AcceptTermsOfService"] = "true",
                ["AcmeHttps:DomainNames:0"] = Name,
            },
            configure: configure,
            pipeline: pipeline,
            storage: new KestrelAcme.Storage.InMemoryStorage(TimeProvider.System),
            cancellationToken: Cancelled);

    private static async Task<(HttpStatusCode Status, string? Type, string Text)> GetAsync(AcmeApp app, string accept)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://{app.Http}") };
        using var request = new HttpRequestMessage(HttpMethod.Get, Path);
        request.Headers.Accept.ParseAdd(accept);
        using var response = await client.SendAsync(request, Cancelled);
        return (response.StatusCode, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsStringAsync(Cancelled));
    }
}
