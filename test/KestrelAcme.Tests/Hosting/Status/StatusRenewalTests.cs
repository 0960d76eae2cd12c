using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using KestrelAcme.Certificates;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Status;

/// <summary>The button of the status page, and those who must not be able to use it.</summary>
public sealed partial class StatusRenewalTests
{
    private const string Path = "/acme-status";
    private const string Name = "status.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Post_FormOfThePage_RenewsAndLeadsBackToIt(bool antiforgery)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, antiforgery);
        using var client = new Browser(app);
        var before = app.Certificates.Find(Name)!.SerialNumber;

        var (token, _) = await client.OpenAsync($"{Path}?name=status&page=1");
        using var response = await client.PostAsync($"{Path}?name=status&page=1&asked=x", Name, token);
        var (_, page) = await client.OpenAsync(Path + response.Headers.Location);

        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        Assert.Equal($"?page=1&name=status&asked={Name}", response.Headers.Location!.OriginalString);
        Assert.Matches($"<strong>{Name} (was|is being) renewed\\.", Note().Match(page).Value);
        await Poll.UntilAsync(() => app.Certificates.Find(Name)!.SerialNumber != before, "the renewal", cancellationToken: Cancelled);
        Assert.NotEqual(before, app.Certificates.Find(Name)!.SerialNumber);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Post_FormOfAnotherSite_RenewsNothing(bool antiforgery)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, antiforgery);
        using Browser client = new(app), another = new(app), without = new(app);
        var (token, _) = await client.OpenAsync(Path);
        _ = await another.OpenAsync(Path);
        var orders = Orders(fixture);
        using var json = new StringContent("{}", null, "application/json");

        HttpResponseMessage[] responses =
        [
            await client.PostAsync(Path, Name, (token.Name, "")),
            await client.PostAsync(Path, Name, (token.Name, "AA" + token.Value[2..^2] + "AA")),
            await without.PostAsync(Path, Name, token),
            await another.PostAsync(Path, Name, token),
            await client.PostAsync(Path, Name, token, ("Sec-Fetch-Site", "cross-site")),
            await client.PostAsync(Path, Name, token, ("Sec-Fetch-Site", "same-site")),
            await client.PostAsync(Path, Name, token, ("Origin", "https://evil.test")),
            await client.PostAsync(Path, Name, token, ("Origin", "null")),
            await client.SendAsync(Path, json),
        ];

        Assert.All(responses, r => Assert.Equal(HttpStatusCode.BadRequest, r.StatusCode));
        Assert.Contains("Nothing was renewed", await responses[0].Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.Equal(orders, Orders(fixture));
        Array.ForEach(responses, r => r.Dispose());
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "same-origin")]
    [InlineData("Origin", "http://app.test")]
    public async Task Post_HeadersOfABrowser_AreAccepted(string header, string value)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, antiforgery: false);
        using var client = new Browser(app);
        var (token, _) = await client.OpenAsync(Path);

        using var response = await client.PostAsync(Path, Name, token, (header, value), ("Host", "app.test"));

        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
    }

    [Fact]
    public async Task Post_WithoutPermission_IsRefused()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, antiforgery: false);
        using Browser client = new(app), stranger = new(app, user: null);
        var (token, _) = await client.OpenAsync(Path);
        var orders = Orders(fixture);

        using var response = await stranger.PostAsync(Path, Name, token);

        Assert.Equal((HttpStatusCode.Unauthorized, orders), (response.StatusCode, Orders(fixture)));
    }

    [Fact]
    public async Task Post_PageThatAnybodyMayRead_RenewsNothing()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, antiforgery: false, web => web.MapAcmeHttpsStatus());
        using var client = new Browser(app);
        var (_, page) = await client.OpenAsync(Path);
        var orders = Orders(fixture);

        using var response = await client.PostAsync(Path, Name, ("token", ""));

        Assert.DoesNotContain("<button id=\"renew", page, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.Forbidden, orders), (response.StatusCode, Orders(fixture)));
        Assert.Contains("RequireAuthorization()", await response.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_UnknownCertificate_IsNotFound()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, antiforgery: false);
        using var client = new Browser(app);
        var (token, _) = await client.OpenAsync(Path);

        using var response = await client.PostAsync(Path, "<b>unknown</b>", token);
        var (_, page) = await client.OpenAsync($"{Path}?asked=<b>unknown</b>");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.DoesNotContain("unknown", await response.Content.ReadAsStringAsync(Cancelled) + page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_LargeForm_IsNotRead()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, antiforgery: false);
        using var client = new Browser(app);
        var (token, _) = await client.OpenAsync(Path);

        using var response = await client.PostAsync(Path, new string('x', 100_000), token);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    /// <summary>An attempt that our own limits stop would count as a failure of a certificate that is fine.</summary>
    [Fact]
    public async Task Post_OwnLimitReached_IsRefusedInPlainWordsWithoutAnAttempt()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, antiforgery: false, ephemeral: true);
        var configuration = app.Services.GetRequiredService<ConfigurationSource>();
        for (var issued = 1; issued < 4; issued++)
        {
            await app.Certificates.RenewAsync(Name, Cancelled);
        }

        configuration.Publish(
            configuration.Current with { Authorities = [.. configuration.Current.Authorities.Select(a => a with { IsPublic = true })] });
        using var client = new Browser(app);
        var (token, _) = await client.OpenAsync(Path);
        var orders = Orders(fixture);

        using var response = await client.PostAsync(Path, Name, token);
        var (_, page) = await client.OpenAsync(Path + response.Headers.Location);

        Assert.StartsWith(
            $"<strong>{Name} was not renewed.</strong></p><p>4 certificates for exactly these names were obtained within 7 days; public",
            Note().Match(page).Groups[1].Value,
            StringComparison.Ordinal);
        Assert.Equal((orders, null), (Orders(fixture), app.Certificates.Find(Name)!.Failure));
    }

    [Fact]
    public async Task Post_FailingAuthority_ShowsItsReason()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, antiforgery: false);
        fixture.Authority.Faults.FailValidation(Name);
        using var client = new Browser(app);
        var (token, _) = await client.OpenAsync(Path);

        using var response = await client.PostAsync(Path, Name, token);
        var page = "";
        await Poll.UntilAsync(
            async _ =>
            {
                page = (await client.OpenAsync(Path + response.Headers.Location)).Page;
                return !page.Contains("is being renewed.", StringComparison.Ordinal);
            },
            "the outcome",
            cancellationToken: Cancelled);

        Assert.Contains($"{Name} could not be renewed.", page, StringComparison.Ordinal);
        Assert.Contains("the current certificate is still served. Fix the reason below", page, StringComparison.Ordinal);
    }

    private static int Orders(LocalFixture fixture) => fixture.Authority.Requests.Count(r => r.Resource == ResourceKind.NewOrder);

    private static async Task<AcmeApp> StartAsync(
        LocalFixture fixture, bool antiforgery, Action<WebApplication>? map = null, bool ephemeral = false)
    {
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:AllowEphemeralStorage"] = ephemeral ? "true" : "false";
        var app = await fixture.StartAppAsync(
            settings,
            configure: builder =>
            {
                builder.Services.AddAuthentication("header").AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>("header", null);
                builder.Services.AddAuthorization();
                if (antiforgery)
                {
                    builder.Services.AddAntiforgery();
                }
            },
            pipeline: map ?? (web => web.MapAcmeHttpsStatus().RequireAuthorization()));
        await app.ObtainedAsync(Name);
        return app;
    }

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]+)\">")]
    private static partial Regex Token();

    [GeneratedRegex("<div class=\"note[^>]*role=\"status\"><p>(.*?)</div>")]
    private static partial Regex Note();

    /// <summary>Keeps cookies, and says who it is.</summary>
    private sealed class Browser(AcmeApp app, string? user = "operator") : IDisposable
    {
        private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false })
        {
            BaseAddress = new Uri($"http://{app.Http}"),
        };

        public void Dispose() => _client.Dispose();

        public async Task<((string Name, string Value) Token, string Page)> OpenAsync(string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            using var response = await SendAsync(request);
            var page = await response.Content.ReadAsStringAsync(Cancelled);
            var token = Token().Match(page);
            return ((token.Groups[1].Value, WebUtility.HtmlDecode(token.Groups[2].Value)), page);
        }

        public async Task<HttpResponseMessage> PostAsync(
            string path, string certificate, (string Name, string Value) token, params (string Name, string Value)[] headers)
        {
            var form = new Dictionary<string, string> { ["certificate"] = certificate, [token.Name] = token.Value };
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(form) };
            foreach (var (name, value) in headers)
            {
                request.Headers.Add(name, value);
            }

            return await SendAsync(request);
        }

        public async Task<HttpResponseMessage> SendAsync(string path, HttpContent content)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
            return await SendAsync(request);
        }

        private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
        {
            if (user is not null)
            {
                request.Headers.Add("X-User", user);
            }

            return await _client.SendAsync(request, Cancelled);
        }
    }

    private sealed class HeaderAuthentication(
        IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(
            Request.Headers["X-User"].ToString() is { Length: > 0 } name
                ? AuthenticateResult.Success(new AuthenticationTicket(
                    new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], Scheme.Name)), Scheme.Name))
                : AuthenticateResult.NoResult());
    }
}
