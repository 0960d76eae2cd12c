using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.FaultMatrix;

/// <summary>
/// An authority that answers with whatever it likes: every attempt ends in a failure that has a cause, in a bounded number of requests, and
/// the old certificate is served.
/// </summary>
public abstract class HostileAuthorityTests(HostileAuthorityTests.Fixture fixture) : IClassFixture<HostileAuthorityTests.Fixture>
{
    private const int MostRequests = 60;

    private protected static readonly ResourceKind[] Resources =
    [
        ResourceKind.NewOrder, ResourceKind.Order, ResourceKind.Authorization, ResourceKind.Challenge, ResourceKind.Finalize,
        ResourceKind.Certificate,
    ];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private protected async Task RenewAsync(ResourceKind resource, Fault fault, string what)
    {
        var (app, authority) = (fixture.App, fixture.Local.Authority);
        var before = authority.Requests.Count;
        authority.Faults.Inject(resource, fault, int.MaxValue);
        var exception = await Record.ExceptionAsync(() => app.Certificates.RenewAsync(Fixture.Name, Cancelled));
        authority.Faults.Clear();
        FaultMatrixSettings.ForgetOutage(app);
        ForgetFailedValidations(app);
        var sent = authority.Requests.Count - before;

        Assert.True(sent <= MostRequests, $"{resource}, {what}: {sent} requests");
        if (exception is not null)
        {
            var failure = Assert.IsType<CertificateException>(exception).Failure;
            Assert.True(
                failure.Cause != FailureCause.Local || failure.Message.Contains("clock", StringComparison.Ordinal),
                $"{resource}, {what}: {failure.Cause}: {failure.Message}");
            Assert.DoesNotContain("Exception:", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(failure.Message, char.IsControl);
        }

        Assert.DoesNotContain(app.Log.Lines, line => line.Event.Name is "WorkFailed" or "EngineFailed" || line.Level == LogLevel.Critical);
        Assert.True((await app.ConnectAsync(Fixture.Name, Cancelled)).Leaf.MatchesHostname(Fixture.Name));
    }

    // After some of them nothing is ordered for an hour, which would hide the cases that follow.
    private static void ForgetFailedValidations(AcmeApp app)
    {
        var certificate = app.Services.GetRequiredService<CertificateCatalog>().Find(Fixture.Name)!;
        certificate.State = certificate.State with { Failure = null, FailedValidations = null };
    }

    public sealed class Fixture : IAsyncLifetime
    {
        internal const string Name = "hostile.test";

        internal LocalFixture Local { get; private set; } = null!;

        internal AcmeApp App { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Local = await LocalFixture.StartAsync();
            var settings = FaultMatrixSettings.Answering with
            {
                RequestRetries = new Protocol.AcmeRetryOptions
                {
                    MaxAttempts = 2,
                    BaseDelay = TimeSpan.FromMilliseconds(1),
                    MaxDelay = TimeSpan.FromMilliseconds(2),
                },
                Polling = new Protocol.AcmePollingOptions
                {
                    InitialDelay = TimeSpan.FromMilliseconds(5),
                    MaxDelay = TimeSpan.FromMilliseconds(50),
                    MinRetryAfter = TimeSpan.FromMilliseconds(20),
                    MaxRetryAfter = TimeSpan.FromMilliseconds(50),
                    Timeout = TimeSpan.FromMilliseconds(300),
                },
                RequestTimeout = TimeSpan.FromSeconds(10),
            };
            App = await Local.StartAppAsync(Local.Settings(Name), configure: builder => builder.Services.AddSingleton(settings));
            await FaultMatrixSettings.ObtainedAsync(App, Name, Cancelled);
        }

        public async ValueTask DisposeAsync()
        {
            await App.DisposeAsync();
            await Local.DisposeAsync();
        }
    }
}

/// <summary>Responses that are no documents at all, and headers of any kind.</summary>
public sealed class HostileResponseTests(HostileAuthorityTests.Fixture fixture) : HostileAuthorityTests(fixture)
{
    public static TheoryData<ResourceKind> Kinds => [.. Resources];

    public static TheoryData<ResourceKind, string> Bodies =>
    [
        .. from resource in Resources
           from body in new[]
           {
               "", "null", "5", "[]", "\"x\"", "deep", "huge array", "huge string", "not UTF-8", "duplicate members", "BOM",
           }
           select (resource, body),
    ];

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Renew_AnyBody_FailsWithACauseOrSucceeds(ResourceKind resource, string body)
        => await RenewAsync(resource, Fault.Rewrite(_ => Body(body)), body);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Renew_AnyHeader_FailsWithACauseOrSucceeds(ResourceKind resource)
    {
        string[][] headers =
        [
            [
                "Location", "//",
            ],
            [
                "Location", "http://169.254.169.254/",
            ], ["Retry-After", "99999999999999999999"], ["Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"],
            [
                "Link", "<",
            ],
            [
                "Link", "<http://169.254.169.254/>;rel=alternate",
            ], ["Link", string.Concat(Enumerable.Repeat("</x>;rel=\"alternate\",", 300))],
            [
                "Date", "Fri, 31 Dec 9999 23:59:59 GMT",
            ], ["Date", "soon"], ["Replay-Nonce", "a b"], ["Content-Type", ";;;"], ["Content-Type", "application/json; charset=utf-99"],
        ];
        foreach (var header in headers)
        {
            await RenewAsync(
                resource,
                Fault.Rewrite(body => body, headers: new Dictionary<string, string> { [header[0]] = header[1] }),
                string.Join(": ", header));
        }

        foreach (var status in new[] { 202, 204, 301, 304, 401, 409, 410, 599 })
        {
            await RenewAsync(resource, Fault.Rewrite(body => body, status), $"{status}");
        }
    }

    private static string Body(string what)
        => what switch
    {
        "deep" => string.Concat(Enumerable.Repeat("{\"a\":", 100_000)),
        "huge array"
            => "{\"status\":\"pending\",\"authorizations\":["
                + $"{string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"\"/authorization/{i}\""))}]}}",
        "huge string" => $"{{\"status\":\"{new string('x', 900_000)}\"}}",
        "not UTF-8" => "{\"status\":\"\uD800\"}",
        "duplicate members" => "{\"status\":\"pending\",\"status\":\"valid\",\"status\":5}",
        "BOM" => "\uFEFF{\"status\":\"pending\"}",
        _ => what,
    };
}

/// <summary>Members that are anything.</summary>
public abstract class HostileMemberTests(HostileAuthorityTests.Fixture fixture) : HostileAuthorityTests(fixture)
{
    private static readonly string[] MembersOfOrder = ["status", "expires", "authorizations", "finalize", "certificate", "error"];
    private static readonly string[] MembersOfAuthorization = ["status", "expires", "identifier", "challenges", "wildcard"];
    private static readonly string[] MembersOfChallenge = ["type", "url", "status", "token", "error"];

    private static readonly string[] Values =
    [
        "null", "-1e999", "true", "\"odd\"", "\"\\ud800\"", "\"http://169.254.169.254/latest\"", "\"//\"", "[null,5,{},\"x\"]",
        "{\"type\":\"dns\",\"value\":\"victim.test\",\"detail\":[],\"subproblems\":{}}",
    ];

    private protected async Task RenewWithAnyMemberAsync(ResourceKind resource)
    {
        var members = resource switch
        {
            ResourceKind.Authorization => MembersOfAuthorization,
            ResourceKind.Challenge => MembersOfChallenge,
            _ => MembersOfOrder,
        };
        foreach (var member in members)
        {
            foreach (var value in Values)
            {
                await RenewAsync(resource, Fault.Rewrite(body => WithMember(body, member, value)), $"{member}: {value}");
            }

            await RenewAsync(resource, Fault.Rewrite(body => WithMember(body, member, null)), $"no {member}");
        }
    }

    private static string WithMember(string body, string member, string? value)
    {
        if (System.Text.Json.Nodes.JsonNode.Parse(body.StartsWith('{') ? body : "{}") is not System.Text.Json.Nodes.JsonObject json)
        {
            return body;
        }

        // As text: what is no valid JSON by the library's rules may still be sent.
        json.Remove(member);
        var text = json.ToJsonString();
        return value is null ? text : text == "{}" ? $"{{\"{member}\":{value}}}" : $"{text[..^1]},\"{member}\":{value}}}";
    }
}

public sealed class HostileOrderTests(HostileAuthorityTests.Fixture fixture) : HostileMemberTests(fixture)
{
    [Theory]
    [InlineData(ResourceKind.NewOrder)]
    [InlineData(ResourceKind.Order)]
    [InlineData(ResourceKind.Finalize)]
    public Task Renew_AnyMemberIsAnything_FailsWithACauseOrSucceeds(ResourceKind resource) => RenewWithAnyMemberAsync(resource);
}

public sealed class HostileAuthorizationTests(HostileAuthorityTests.Fixture fixture) : HostileMemberTests(fixture)
{
    [Theory]
    [InlineData(ResourceKind.Authorization)]
    [InlineData(ResourceKind.Challenge)]
    public Task Renew_AnyMemberIsAnything_FailsWithACauseOrSucceeds(ResourceKind resource) => RenewWithAnyMemberAsync(resource);
}
