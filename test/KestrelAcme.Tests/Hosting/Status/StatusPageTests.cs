using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using KestrelAcme.Certificates;
using KestrelAcme.Hosting.Status;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Status;

public sealed partial class StatusPageTests
{
    private const string Path = "/acme-status";
    private const string Name = "status.test";

    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_CertificateObtained_ShowsItAsHtmlAndAsJson()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), pipeline: web => web.MapAcmeHttpsStatus());
        await app.ObtainedAsync(Name);

        var html = await GetAsync(app, Path, "text/html,application/xhtml+xml,*/*;q=0.8");
        using var json = JsonDocument.Parse(await GetAsync(app, Path, "application/json"));

        Assert.Contains($"<h2>{Name}</h2>", html, StringComparison.Ordinal);
        Assert.Contains("1, all fine.", html, StringComparison.Ordinal);
        Assert.Contains("Valid. Expires in ", html, StringComparison.Ordinal);
        var status = app.Certificates.Find(Name)!;
        Assert.Contains(status.SerialNumber!, html, StringComparison.Ordinal);
        var row = json.RootElement.GetProperty("certificates")[0];
        Assert.Equal(
            (Name, "Valid", status.NotAfter, status.NextOrder),
            (row.GetProperty("id").GetString(), row.GetProperty("state").GetString(), row.GetProperty("notAfter").GetDateTimeOffset(),
                row.GetProperty("nextOrder").GetDateTimeOffset()));
        Assert.False(row.TryGetProperty("problem", out _));
    }

    [Fact]
    public async Task Get_Html_LoadsAndRunsNothing()
    {
        await using var app = await StartAsync([Name]);

        using var response = await app.GetHttpAsync(Path, cancellationToken: Cancelled);
        var html = await response.Content.ReadAsStringAsync(Cancelled);

        var style = Style().Match(html).Groups[1].Value;
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));
        Assert.Equal(
            $"default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            Assert.Single(response.Headers.GetValues("Content-Security-Policy")));
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.DoesNotMatch(ForbiddenHtml(), html);
        Assert.Contains("Needs attention: no certificate for its names.", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_AThousandCertificates_IsPagedAndSmall()
    {
        await using var app = await StartAsync(
            [.. Enumerable.Range(0, 1000).Select(i => $"a-rather-long-name-of-a-customer-{i:0000}.shop.example.com")]);

        var html = await GetAsync(app, $"{Path}?page=2", "text/html");
        using var last = JsonDocument.Parse(await GetAsync(app, $"{Path}?page=999", "application/json"));
        using var found = JsonDocument.Parse(await GetAsync(app, $"{Path}?name=CUSTOMER-0999", "application/json"));

        Assert.True(Encoding.UTF8.GetByteCount(html) < 60_000, $"{html.Length}");
        Assert.Contains("Page 2 of 40", html, StringComparison.Ordinal);
        Assert.Contains("href=\"?page=1\"", html, StringComparison.Ordinal);
        Assert.Contains("href=\"?page=3\"", html, StringComparison.Ordinal);
        Assert.Equal((1000, 40, 40, 25), Numbers(last));
        Assert.Equal((1, 1, 1, 1), Numbers(found));
    }

    [Theory]
    [InlineData("?page=0")]
    [InlineData("?page=-1")]
    [InlineData("?page=99999999999999")]
    [InlineData("?page=x&name=%00")]
    [InlineData("?name=%3Cscript%3Ealert(1)%3C/script%3E")]
    public async Task Get_OddQuery_IsAnsweredWithoutEcho(string query)
    {
        await using var app = await StartAsync([Name]);

        var html = await GetAsync(app, Path + query, "text/html");

        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_StatusPage_IsNotAllowed()
    {
        await using var app = await StartAsync([Name]);

        using var response = await app.GetHttpAsync(Path, method: HttpMethod.Post, cancellationToken: Cancelled);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
    }

    [Fact]
    public void Write_HostileText_IsEncoded()
    {
        const string hostile = "\"><script>alert(1)</script>";
        var html = StatusHtml.Write(
            Report(new StatusRow
            {
                Id = hostile,
                Names = [hostile, hostile],
                State = CertificateState.Waiting,
                Problem = hostile,
                Failure = hostile,
                FailedAt = Now,
                Issuer = hostile, Authority = hostile, SerialNumber = hostile, NotBefore = Now.AddDays(-1), NotAfter = Now.AddDays(1),
            }) with { Notices = [hostile] },
            hostile);

        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.Equal(html.Split("alert(1)").Length, html.Split("&quot;&gt;&lt;script&gt;alert(1)").Length);
    }

    [Fact]
    public void Write_LongFailures_StaysSmall()
    {
        var row = new StatusRow
        {
            Id = new string('a', 63) + ".example.com", Names = [.. Enumerable.Repeat(new string('b', 63) + ".example.com", 6)],
            State = CertificateState.Waiting, Problem = "renewal overdue", Failure = new string('x', 500), FailedAt = Now,
            Issuer = "CN=R11, O=Let's Encrypt, C=US", Authority = "https://acme-v02.api.letsencrypt.org/directory",
            SerialNumber = new string('0', 40), NotBefore = Now.AddDays(-80), NotAfter = Now.AddDays(10), NextOrder = Now,
            WindowStart = Now.AddDays(-20), WindowEnd = Now.AddDays(-19),
        };

        var html = StatusHtml.Write(Report([.. Enumerable.Repeat(row, StatusReader.PageSize)]), null);

        Assert.True(Encoding.UTF8.GetByteCount(html) < 60_000, $"{html.Length}");
    }

    [Fact]
    public void Write_Bar_ShowsWhatIsOverTheWindowAndTheNextOrder()
    {
        var html = StatusHtml.Write(
            Report(new StatusRow
            {
                Id = Name, Names = [Name], State = CertificateState.Valid, NotBefore = Now.AddDays(-20), NotAfter = Now.AddDays(80),
                WindowStart = Now.AddDays(40), WindowEnd = Now.AddDays(45), NextOrder = Now.AddDays(42),
            }),
            null);

        Assert.Contains("<rect class=\"gone\" x=\"0\" y=\"4\" width=\"200\" height=\"8\"/>", html, StringComparison.Ordinal);
        Assert.Contains("<rect class=\"window\" x=\"600\" y=\"12\" width=\"50\" height=\"4\"/>", html, StringComparison.Ordinal);
        Assert.Contains("<rect class=\"next\" x=\"620\" y=\"0\" width=\"4\" height=\"16\"/>", html, StringComparison.Ordinal);
        Assert.Contains(
            "Valid. Expires in 80 days (2026-05-20 12:00:00Z); next order in 42 days (2026-04-12 12:00:00Z).",
            html,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("open", true)]
    [InlineData("anonymous", true)]
    [InlineData("authorized", false)]
    [InlineData("group", false)]
    [InlineData("fallback", false)]
    public async Task Map_OutsideDevelopment_WarnsIfAnybodyMayRead(string how, bool warns)
    {
        await using var app = await StartAsync(
            [Name],
            web =>
            {
                switch (how)
                {
                    case "authorized":
                        web.MapAcmeHttpsStatus().RequireAuthorization();
                        break;
                    case "anonymous":
                        web.MapAcmeHttpsStatus().RequireAuthorization().AllowAnonymous();
                        break;
                    case "group":
                        web.MapGroup("/admin").RequireAuthorization().MapAcmeHttpsStatus();
                        break;
                    default:
                        web.MapAcmeHttpsStatus();
                        break;
                }
            },
            builder => builder.Services.AddAuthorization(
                options => options.FallbackPolicy = how == "fallback" ? options.DefaultPolicy : null));

        // Endpoints are built at the latest with the first request.
        using var response = await app.GetHttpAsync("/", cancellationToken: Cancelled);

        var warnings = app.Log.Lines.Where(
            l => l.Level == LogLevel.Warning && l.Message.Contains("RequireAuthorization", StringComparison.Ordinal));
        Assert.Equal(warns ? 1 : 0, warnings.Count());
    }

    [Fact]
    public async Task Map_WithoutAddAcmeHttps_SaysWhatToCall()
    {
        await using var app = WebApplication.CreateBuilder().Build();

        var exception = Assert.Throws<InvalidOperationException>(() => app.MapAcmeHttpsStatus());

        Assert.Contains("builder.Services.AddAcmeHttps()", exception.Message, StringComparison.Ordinal);
    }

    private static StatusReport Report(params IReadOnlyList<StatusRow> rows) => new()
    {
        At = Now,
        Total = rows.Count,
        NeedAttention = rows.Count(r => r.Problem is not null),
        Page = 1,
        Pages = 1,
        Notices = [],
        Certificates = rows,
    };

    private static Task<AcmeApp> StartAsync(
        string[] names, Action<WebApplication>? pipeline = null, Action<WebApplicationBuilder>? configure = null) => AcmeApp.StartAsync(
            new Dictionary<string, string?>
            {
                ["AcmeHttps:Issuance"] = "ServeOnly",
                ["AcmeHttps:DirectoryUrl"] = "https://127.0.0.1:1/directory",
                ["AcmeHttps:AcceptTermsOfService"] = "true",
            }.AddNames(names),
            configure: configure,
            pipeline: pipeline ?? (web => web.MapAcmeHttpsStatus(Path)),
            storage: new KestrelAcme.Storage.InMemoryStorage(TimeProvider.System),
            cancellationToken: Cancelled);

    private static async Task<string> GetAsync(AcmeApp app, string path, string accept)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://{app.Http}") };
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd(accept);
        using var response = await client.SendAsync(request, Cancelled);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(accept == "application/json" ? "application/json" : "text/html", response.Content.Headers.ContentType?.MediaType);
        return await response.Content.ReadAsStringAsync(Cancelled);
    }

    private static (int Total, int Page, int Pages, int Listed) Numbers(JsonDocument json)
    {
        var root = json.RootElement;
        return (root.GetProperty("total").GetInt32(), root.GetProperty("page").GetInt32(), root.GetProperty("pages").GetInt32(),
            root.GetProperty("certificates").GetArrayLength());
    }

    [GeneratedRegex("<style>(.*?)</style>", RegexOptions.Singleline)]
    private static partial Regex Style();

    [GeneratedRegex(@"<script|<link|<img|<iframe|\ssrc=|\sstyle=|\son\w+=|@import|url\(", RegexOptions.IgnoreCase)]
    private static partial Regex ForbiddenHtml();
}
