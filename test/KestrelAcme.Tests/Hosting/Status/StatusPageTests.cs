using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges;
using KestrelAcme.Hosting.Status;
using KestrelAcme.Testing;
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

        // The event comes a moment after the state.
        var html = "";
        await Poll.UntilAsync(
            async _ => (html = await GetAsync(app, Path, "text/html,application/xhtml+xml,*/*;q=0.8"))
                .Contains("Now serving certificate ", StringComparison.Ordinal),
            () => $"the event on the page\n{html}",
            cancellationToken: TestContext.Current.CancellationToken);
        using var json = JsonDocument.Parse(await GetAsync(app, Path, "application/json"));

        Assert.Contains($"<h2 id=\"name0\">{Name}</h2>", html, StringComparison.Ordinal);
        Assert.Contains("<dt>Managed</dt><dd>1</dd>", html, StringComparison.Ordinal);
        Assert.Contains("<dt>Need attention</dt><dd>none</dd>", html, StringComparison.Ordinal);
        Assert.Contains("<span class=\"state\">Valid</span>", html, StringComparison.Ordinal);
        var status = app.Certificates.Find(Name)!;
        Assert.Contains(status.SerialNumber!, html, StringComparison.Ordinal);
        var row = json.RootElement.GetProperty("certificates")[0];
        Assert.Equal(
            (Name, "Valid", status.NotAfter),
            (row.GetProperty("id").GetString(), row.GetProperty("state").GetString(), row.GetProperty("notAfter").GetDateTimeOffset()));

        // The CA's advice may have come meanwhile.
        Assert.InRange(row.GetProperty("nextOrder").GetDateTimeOffset(), status.NotBefore!.Value, status.NotAfter!.Value);
        Assert.False(row.TryGetProperty("problem", out _));
        var events = row.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("kind").GetString())
            .Where(k => k != "RenewalInfoChanged");
        Assert.Equal(["Obtained", "Finalized", "AuthorizationValid", "ChallengePosted"], events.Take(4));
    }

    [Fact]
    public async Task Get_Html_LoadsAndRunsNothingButItsScript()
    {
        await using var app = await StartAsync([Name]);

        using var response = await app.GetHttpAsync(Path, cancellationToken: Cancelled);
        var html = await response.Content.ReadAsStringAsync(Cancelled);

        var style = Style().Match(html).Groups[1].Value;
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));
        var nonce = Script().Match(html).Groups[1].Value;
        Assert.Equal(
            $"default-src 'none'; style-src 'sha256-{hash}'; script-src 'nonce-{WebUtility.HtmlDecode(nonce)}'; connect-src 'self'; "
            + "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            Assert.Single(response.Headers.GetValues("Content-Security-Policy")));
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.DoesNotMatch(ForbiddenHtml(), html);
        Assert.Contains("Needs attention: no certificate for its names", html, StringComparison.Ordinal);
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
        Assert.Contains("Page 2 of 50", html, StringComparison.Ordinal);
        Assert.Contains("href=\"?page=1\"", html, StringComparison.Ordinal);
        Assert.Contains("href=\"?page=3\"", html, StringComparison.Ordinal);
        Assert.Equal((1000, 50, 50, 20), Numbers(last));
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

        Assert.Single(Script().Matches(html));
        Assert.DoesNotContain("alert(1)</script", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_Head_HasHeadersOnly()
    {
        await using var app = await StartAsync([Name]);

        using var response = await app.GetHttpAsync(Path, method: HttpMethod.Head, cancellationToken: Cancelled);

        Assert.Equal((HttpStatusCode.OK, "no-store"), (response.StatusCode, response.Headers.CacheControl?.ToString()));
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancelled));
    }

    [Fact]
    public async Task Get_Script_IsServedBelowThePage()
    {
        await using var app = await StartAsync([Name], web => web.MapGroup("/ops").MapAcmeHttpsStatus("tls/status"));
        var html = await GetAsync(app, "/ops/tls/status", "text/html");

        var script = new Uri(new Uri("http://app.test/ops/tls/status"), WebUtility.HtmlDecode(ScriptSource().Match(html).Groups[1].Value));
        using var response = await app.GetHttpAsync(script.PathAndQuery, cancellationToken: Cancelled);

        Assert.Equal("/ops/tls/status/live.js", script.AbsolutePath);
        Assert.Equal("text/javascript", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(StatusAssets.Script, await response.Content.ReadAsStringAsync(Cancelled));
    }

    [Fact]
    public async Task Get_SeveralProblems_MostUrgentComesFirst()
    {
        await using var app = await StartAsync(["b.test", "a.test", "c.test"]);
        var catalog = app.Services.GetRequiredService<CertificateCatalog>();
        catalog.Find("c.test")!.ChangeState(s => s with { State = CertificateState.Abandoned });

        using var json = JsonDocument.Parse(await GetAsync(app, Path, "application/json"));

        Assert.Equal(
            ["a.test", "b.test", "c.test"],
            json.RootElement.GetProperty("certificates").EnumerateArray().Select(c => c.GetProperty("id").GetString()));
        Assert.Contains(
            "This instance orders nothing",
            json.RootElement.GetProperty("certificates")[0].GetProperty("advice").GetString(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CertificateProblems.Expired | CertificateProblems.Blocked, CertificateState.Blocked, 0)]
    [InlineData(CertificateProblems.Missing, CertificateState.Ordering, 1)]
    [InlineData(CertificateProblems.Overdue | CertificateProblems.Blocked, CertificateState.Blocked, 2)]
    [InlineData(CertificateProblems.Blocked, CertificateState.Blocked, 3)]
    [InlineData(CertificateProblems.None, CertificateState.Waiting, 4)]
    [InlineData(CertificateProblems.None, CertificateState.Renewing, 5)]
    [InlineData(CertificateProblems.None, CertificateState.RenewalDue, 6)]
    [InlineData(CertificateProblems.None, CertificateState.Valid, 7)]
    internal void Rank_Problems_AreOrderedByWhatClientsSee(CertificateProblems problems, CertificateState state, int rank)
        => Assert.Equal(rank, StatusAdvice.Rank(problems, state));

    [Theory]
    [InlineData(FailureCause.Name, false, true, "Fix the reason below, then choose Renew. Otherwise the next attempt is at 2026-03-02")]
    [InlineData(FailureCause.Operator, true, true, "Create the DNS records below. KestrelAcme watches DNS; otherwise the next")]
    [InlineData(FailureCause.Authority, false, true, "The CA failed, so there is nothing to fix here: the next attempt is at")]
    [InlineData(FailureCause.Local, false, true, "Check this machine: its store, clock and network. By itself, the next attempt is at")]
    [InlineData(FailureCause.Name, false, false, "This instance orders nothing")]
    public void Advice_Failure_SaysWhatToDo(FailureCause cause, bool records, bool orders, string task)
    {
        var status = new CertificateStatus
        {
            Id = Name,
            DomainNames = [Name],
            State = CertificateState.Waiting,
            Failure = new CertificateFailure
            {
                Message = "Failed.", At = Now, NextAttempt = Now.AddDays(1), Cause = cause,
                RequiredRecords = records ? [new RequiredDnsRecord(Name, "CAA", "0 issue \"ca.test\"")] : [],
            },
        };

        var advice = StatusAdvice.For(CertificateProblems.Expired, status, orders);

        Assert.StartsWith($"Clients get an expired certificate and refuse it. {task}", advice, StringComparison.Ordinal);
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
                Issuer = hostile, Authority = hostile, Account = hostile,
                SerialNumber = hostile, NotBefore = Now.AddDays(-1), NotAfter = Now.AddDays(1),
                Advice = hostile, RequiredRecords = [hostile],
                Events = [new StatusEvent { Certificate = hostile, Kind = CertificateEventKind.Failed, At = Now, Message = hostile }],
            }) with
            {
                Notices = [hostile],
                OnDemand = new StatusOnDemand
                {
                    Newest = [new StatusNewName { Name = hostile, FirstAsked = Now }],
                    Refused = [new StatusRefusedName { Name = hostile, At = Now, Reason = hostile }],
                },
            },
            new StatusView
            {
                Search = hostile, Host = hostile, Token = (hostile, hostile), ScriptUrl = hostile, Nonce = hostile,
                Renewal = new StatusRenewals.Renewal(hostile, RenewalOutcome.Failed, hostile),
            });

        Assert.DoesNotContain("<script>", html, StringComparison.Ordinal);
        Assert.Equal(html.Split("alert(1)").Length, html.Split("&quot;&gt;&lt;script&gt;alert(1)").Length);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("<")]
    [InlineData("\"")]
    [InlineData("漢")]
    [InlineData("😀")]
    public void Write_LongFailures_StaysSmall(string letter)
    {
        string Long(int length) => string.Concat(Enumerable.Repeat(letter, length / letter.Length));
        var row = new StatusRow
        {
            Id = new string('a', 63) + ".example.com", Names = [.. Enumerable.Repeat(new string('b', 63) + ".example.com", 6)],
            State = CertificateState.Waiting, Problem = "renewal overdue", Failure = Long(500), FailedAt = Now,
            Issuer = "CN=R11, O=Let's Encrypt, C=US", Authority = "https://acme-v02.api.letsencrypt.org/directory",
            SerialNumber = new string('0', 40), NotBefore = Now.AddDays(-80), NotAfter = Now.AddDays(10), NextOrder = Now,
            WindowStart = Now.AddDays(-20), WindowEnd = Now.AddDays(-19), Advice = new string('y', 200),
            RequiredRecords = [.. Enumerable.Repeat(Long(500), 6)],
        };
        var happened = new StatusEvent
        {
            Certificate = row.Id, Kind = CertificateEventKind.Failed, At = Now, Message = Long(500),
        };
        row = row with { Events = [.. Enumerable.Repeat(happened, StatusEvents.MostShown)] };
        var refused = new StatusRefusedName { Name = new string('r', 300), At = Now, Reason = Long(500) };
        var demand = new StatusOnDemand
        {
            Newest = [.. Enumerable.Repeat(new StatusNewName { Name = new string('n', 300), FirstAsked = Now }, StatusDemand.MostNames)],
            Refused = [.. Enumerable.Repeat(refused, StatusDemand.MostNames)],
        };

        var html = StatusHtml.Write(
            Report([.. Enumerable.Repeat(row, StatusReader.PageSize)]) with { OnDemand = demand },
            new StatusView { Token = ("token", "t") });

        Assert.True(Encoding.UTF8.GetByteCount(html) < 60_000, $"{html.Length}");
        Assert.Equal(StatusReader.PageSize, Reason().Count(html));
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
            new StatusView());

        Assert.Contains(
            "<rect class=\"life\"/><rect class=\"gone\" width=\"20%\"/><rect class=\"window\" x=\"60%\" width=\"5%\"/>"
            + "<rect class=\"next\" x=\"62%\"/><circle class=\"now\" cx=\"20%\"/>",
            html,
            StringComparison.Ordinal);
        Assert.Contains("<dt>Issued</dt><dd>20 days ago<time", html, StringComparison.Ordinal);
        Assert.Contains("<dt class=\"w\">CA’s renewal window</dt><dd>10 Apr – 15 Apr 2026</dd>", html, StringComparison.Ordinal);
        Assert.Contains("<dt class=\"n\">Next order</dt><dd>in 42 days<time", html, StringComparison.Ordinal);
        Assert.Contains("<dt>Expires</dt><dd>in 80 days<time", html, StringComparison.Ordinal);
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
        await using var app = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]).Build();

        var exception = Assert.Throws<InvalidOperationException>(() => app.MapAcmeHttpsStatus());

        Assert.Contains("builder.Services.AddAcmeHttps()", exception.Message, StringComparison.Ordinal);
    }

    private static StatusReport Report(params IReadOnlyList<StatusRow> rows) => new()
    {
        At = Now,
        Total = rows.Count,
        NeedAttention = rows.Count(r => r.Problem is not null),
        InProgress = 0,
        Orders = true,
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

    [GeneratedRegex("The last attempt failed at 2026-03-01 12:00:00Z: [^<…]{50}")]
    private static partial Regex Reason();

    [GeneratedRegex("<script defer src=\"[^\"]+\" nonce=\"([^\"]+)\"></script>")]
    private static partial Regex Script();

    [GeneratedRegex("<script defer src=\"([^\"]+)\"")]
    private static partial Regex ScriptSource();

    [GeneratedRegex(
        @"<script (?!defer src=""acme-status/live\.js)|<link (?!rel=""icon"" href=""data:)|<img|<iframe|\sstyle=|\son\w+=|@import|url\(",
        RegexOptions.IgnoreCase)]
    private static partial Regex ForbiddenHtml();
}
