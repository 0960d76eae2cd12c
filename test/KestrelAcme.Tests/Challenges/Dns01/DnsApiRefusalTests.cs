using KestrelAcme.Challenges;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Challenges.Dns01.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>
/// Error responses of each HTTP API. Each has its own message, which names the server and the zone and quotes the provider, and none is
/// retried in a tight loop.
/// </summary>
public sealed class DnsApiRefusalTests
{
    private const string Secret = "secret-of-the-api";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>The provider, the status and its body, the fault, and what the message contains besides server and zone.</summary>
    public static TheoryData<string, int, string, ChallengeFault, string, string> Refusals => new()
    {
        { "PowerDns", 401, "Unauthorized", ChallengeFault.Operator, "Unauthorized", "Compare ApiKey with the api-key of pdns.conf" },
        { "PowerDns", 403, """{"error":"Not from there"}""", ChallengeFault.Operator, "Not from there", "webserver-allow-from" },
        {
            "PowerDns",
            404,
            """{"error":"Not Found"}""",
            ChallengeFault.Operator,
            "Not Found",
            "Check that the zone exists and that the credentials can see it."
        },
        {
            "PowerDns",
            422,
            """{"error":"Could not find domain 'example.test.'"}""",
            ChallengeFault.Operator,
            "Could not find domain",
            "does not have zone"
        },
        { "PowerDns", 429, "slow down", ChallengeFault.Local, "slow down", "It asks to wait for 300 s" },
        { "PowerDns", 500, """{"error":"Backend died"}""", ChallengeFault.Local, "Backend died", "KestrelAcme retries" },
        { "PowerDns", 503, "<html>maintenance</html>", ChallengeFault.Local, "maintenance", "KestrelAcme retries" },
        {
            "Cloudflare",
            401,
            """{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}""",
            ChallengeFault.Operator,
            "Authentication error (code 10000)",
            "Zone.DNS Edit"
        },
        {
            "Cloudflare",
            403,
            """{"success":false,"errors":[{"code":9109,"message":"Unauthorized to access requested resource"}]}""",
            ChallengeFault.Operator,
            "(code 9109)",
            "Zone.DNS Edit"
        },
        {
            "Cloudflare",
            404,
            """{"success":false,"errors":[{"code":7003,"message":"Could not route"}]}""",
            ChallengeFault.Operator,
            "Could not route (code 7003)",
            "Check that the zone exists and that the credentials can see it."
        },
        {
            "Cloudflare",
            429,
            """{"success":false,"errors":[{"code":971,"message":"Please wait"}]}""",
            ChallengeFault.Local,
            "Please wait (code 971)",
            "It asks to wait for 300 s"
        },
        { "Cloudflare", 500, "", ChallengeFault.Local, "no reason given", "KestrelAcme retries" },
        { "Cloudflare", 503, "<html>maintenance</html>", ChallengeFault.Local, "maintenance", "KestrelAcme retries" },
        { "AcmeDns", 401, """{"error":"forbidden"}""", ChallengeFault.Operator, "forbidden", "allowfrom" },
        { "AcmeDns", 403, """{"error":"not you"}""", ChallengeFault.Operator, "not you", "allowfrom" },
        {
            "AcmeDns",
            404,
            "",
            ChallengeFault.Operator,
            "no reason given",
            "Check that the zone exists and that the credentials can see it."
        },
        { "AcmeDns", 429, """{"error":"later"}""", ChallengeFault.Local, "later", "It asks to wait for 300 s" },
        { "AcmeDns", 500, """{"error":"db_error"}""", ChallengeFault.Local, "db_error", "KestrelAcme retries" },
        { "AcmeDns", 503, "", ChallengeFault.Local, "no reason given", "KestrelAcme retries" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Prepare_ApiRefuses_NamesProviderZoneReasonAndFix(
        string provider, int status, string body, ChallengeFault fault, string words, string advice)
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var api = await StartApiAsync(status, body, retryAfter: "300");
        await using var app = new DnsFixture(Settings(provider, api.Url), bind.Address.Port);

        var exception = await Assert.ThrowsAsync<ChallengeException>(
            () => app.Handler.PrepareAsync(DnsFixture.Challenge("example.test", "one"), Cancelled));

        Assert.Equal(fault, exception.Fault);
        Assert.Equal(TimeSpan.FromSeconds(300), exception.RetryAfter);
        Assert.StartsWith(
            "_acme-challenge.example.test: the TXT record _acme-challenge.example.test could not be created. ",
            exception.Message,
            StringComparison.Ordinal);
        Assert.Contains(api.Url.Authority, exception.Message, StringComparison.Ordinal);
        Assert.Contains("zone example.test", exception.Message, StringComparison.Ordinal);
        Assert.Contains(words, exception.Message, StringComparison.Ordinal);
        Assert.Contains(advice, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, $"{exception}\n{app.Log}", StringComparison.Ordinal);
        Assert.Single(api.Requests);
    }

    [Theory]
    [InlineData("PowerDns")]
    [InlineData("Cloudflare")]
    [InlineData("AcmeDns")]
    public async Task Prepare_ApiStaysBusy_IsCalledThreeTimesWithPauses(string provider)
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var api = await StartApiAsync(503, "", retryAfter: null);
        await using var app = new DnsFixture(Settings(provider, api.Url), bind.Address.Port);

        await Assert.ThrowsAsync<ChallengeException>(
            () => app.Handler.PrepareAsync(DnsFixture.Challenge("example.test", "one"), Cancelled));

        Assert.Equal(3, api.Requests.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CleanUp_ApiIsDown_TheRecordIsNotForgotten(bool restarts)
    {
        const string Token = "good-token-value";
        var stub = new CloudflareStub(Token, "example.test");
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var api = await StubApi.StartAsync(stub.Map, Cancelled);
        var settings = new Dictionary<string, string?>
        {
            ["AcmeHttps:DnsProviders:0:Type"] = "Cloudflare",
            ["AcmeHttps:DnsProviders:0:ApiUrl"] = api.Url.ToString(),
            ["AcmeHttps:DnsProviders:0:ApiToken"] = Token,
        };
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var storage = new InMemoryStorage(clock);
        var challenge = DnsFixture.Challenge("example.test", "one");
        await using (var app = new DnsFixture(settings, bind.Address.Port, storage, time: clock))
        {
            await app.StartAsync(Cancelled);
            // A datagram that is lost is sent again after a pause.
            await clock.RunUntilCompleteAsync(
                app.Handler.PrepareAsync(challenge, Cancelled), TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(2), Cancelled);
            api.Refusals.Enqueue((503, "", "300"));

            var exception = await Assert.ThrowsAsync<ChallengeException>(() => app.Handler.CleanUpAsync(challenge, Cancelled));

            Assert.Contains(
                "the TXT record _acme-challenge.example.test could not be deleted.", exception.Message, StringComparison.Ordinal);
            Assert.Single(stub.Records);
            if (!restarts)
            {
                // The service pauses after its first sweep.
                await Poll.UntilAsync(() => clock.ArmedTimers > 0, "a pause", cancellationToken: Cancelled);
                clock.Advance(TimeSpan.FromMinutes(10));
                await Poll.UntilAsync(() => stub.Records.Count == 0, () => $"the record to go\n{app.Log}", cancellationToken: Cancelled);
                return;
            }
        }

        await using var next = new DnsFixture(settings, bind.Address.Port, storage);
        await next.StartAsync(Cancelled);
        await Poll.UntilAsync(() => stub.Records.Count == 0, () => $"the record to go\n{next.Log}", cancellationToken: Cancelled);
    }

    private static Task<StubApi> StartApiAsync(int status, string body, string? retryAfter) => StubApi.StartAsync(
        app => app.Run(context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = retryAfter;
            return context.Response.WriteAsync(body);
        }),
        Cancelled);

    private static Dictionary<string, string?> Settings(string provider, Uri url)
    {
        var settings = new Dictionary<string, string?> { ["AcmeHttps:DnsProviders:0:Type"] = provider };
        foreach (var (key, value) in provider switch
        {
            "PowerDns" => [("ApiUrl", url.ToString()), ("ApiKey", Secret)],
            "Cloudflare" => [("ApiUrl", url.ToString()), ("ApiToken", Secret)],
            _ => new[] { ("ServerUrl", url.ToString()) },
        })
        {
            settings[$"AcmeHttps:DnsProviders:0:{key}"] = value;
        }

        return settings;
    }
}
