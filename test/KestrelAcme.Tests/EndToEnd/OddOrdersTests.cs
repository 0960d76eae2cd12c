using System.Text.Json.Nodes;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>Orders that take another way than the usual one, at authorities that RFC 8555 allows.</summary>
public sealed class OddOrdersTests
{
    private const string Name = "app.test";
    private const string Wildcard = "*.app.test";

    private static readonly IssuanceSettings FewRepetitions = QuickIssuance.Settings with
    {
        RequestRetries = new Protocol.AcmeRetryOptions
        {
            MaxAttempts = 2,
            BaseDelay = TimeSpan.FromMilliseconds(1),
            MaxDelay = TimeSpan.FromMilliseconds(2),
        },
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData("[]")]
    [InlineData("null")]
    public async Task Order_PreApproved_WildcardNeedsNoDnsChallenge(string? authorizations)
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.PreApprove = true;
        if (authorizations is not null)
        {
            fixture.Authority.Faults.Inject(
                ResourceKind.NewOrder, Edit(order => order["authorizations"] = JsonNode.Parse(authorizations)), int.MaxValue);
        }

        await using var app = await fixture.StartAppAsync(fixture.Settings(Wildcard));
        await app.ObtainedAsync(Wildcard);

        var warning = Assert.Single(app.Log.At(LogLevel.Warning), line => line.Event.Name == "WildcardsWithoutDnsChallenge");
        Assert.Contains(Wildcard, warning.Message, StringComparison.Ordinal);
        Assert.Equal(0, fixture.PostedChallenges);
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Order_WithoutTheMemberAuthorizations_IsFinalized()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.PreApprove = true;
        fixture.Authority.Faults.Inject(ResourceKind.NewOrder, Edit(order => order.Remove("authorizations")), int.MaxValue);

        await using var app = await fixture.ServeAsync(Name);

        Assert.DoesNotContain(fixture.Authority.Requests, request => request.Resource == ResourceKind.Authorization);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("")]
    public async Task Resume_OrderIsReadyWithoutAuthorizations_IsFinalized(string authorizations)
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.PreApprove = true;
        fixture.Authority.Faults.Inject(ResourceKind.NewOrder, Edit(order => SetAuthorizations(order, authorizations)), int.MaxValue);
        fixture.Authority.Faults.Inject(ResourceKind.Order, Edit(order => SetAuthorizations(order, authorizations)), int.MaxValue);
        fixture.Authority.Faults.Inject(ResourceKind.Finalize, Fault.Problem("serverInternal", 500, "Not now."), times: 5);

        await using var app = await fixture.StartAppAsync(
            fixture.Settings(Name), configure: builder => builder.Services.AddSingleton(FewRepetitions));
        await app.ObtainedAsync(Name);

        Assert.True(app.Log.Has("OrderResumed"));
        Assert.Single(fixture.Authority.Requests, request => request.Resource == ResourceKind.NewOrder);
        Assert.DoesNotContain(fixture.Authority.Requests, request => request.Resource == ResourceKind.Authorization);
        Assert.Single(fixture.Authority.Issued);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("")]
    public async Task Resume_OrderIsValidWithoutAuthorizations_IsDownloaded(string authorizations)
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.Certificate, Fault.Problem("serverInternal", 500, "Not now."), times: 5);

        await using var app = await fixture.StartAppAsync(
            fixture.Settings(Name), configure: builder => builder.Services.AddSingleton(FewRepetitions));
        await Poll.UntilAsync(() => fixture.Authority.Issued.Count == 1, "the certificate at the authority", cancellationToken: Cancelled);
        fixture.Authority.Faults.Inject(ResourceKind.Order, Edit(order => SetAuthorizations(order, authorizations)), int.MaxValue);
        await app.ObtainedAsync(Name);

        Assert.True(app.Log.Has("OrderResumed"));
        Assert.Single(fixture.Authority.Requests, request => request.Resource == ResourceKind.NewOrder);
        Assert.Single(fixture.Authority.Requests, request => request.Resource == ResourceKind.Finalize);
        Assert.Single(fixture.Authority.Issued);
    }

    [Theory]
    [InlineData(true, null)]
    [InlineData(false, null)]
    [InlineData(false, "[]")]
    [InlineData(true, "")]
    public async Task Order_IsTheFinishedOneOfTheCurrentCertificate_SaysSoWithAGrowingPause(bool reuseKeys, string? authorizations)
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:ReuseKeys"] = reuseKeys ? "true" : "false";
        await using var app = await fixture.StartAppAsync(settings);
        await app.ObtainedAsync(Name);
        var served = app.Certificates.Find(Name)!.SerialNumber;
        fixture.Authority.Faults.ReuseValidOrders = true;
        if (authorizations is not null)
        {
            fixture.Authority.Faults.Inject(ResourceKind.NewOrder, Edit(order => SetAuthorizations(order, authorizations)), int.MaxValue);
        }

        var pauses = new List<TimeSpan>();
        for (var i = 0; i < 4; i++)
        {
            var exception = await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(Name, Cancelled));

            Assert.Contains("which is finished", exception.Message, StringComparison.Ordinal);
            var failure = app.Certificates.Find(Name)!.Failure!;
            Assert.Equal(FailureCause.Authority, failure.Cause);
            pauses.Add(failure.NextAttempt - failure.At);
        }

        Assert.True(pauses[^1] > 2 * pauses[0], string.Join(", ", pauses));

        Assert.Equal(served, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
        fixture.Authority.Faults.Clear();
        await app.Certificates.RenewAsync(Name, Cancelled);
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Order_IsFinishedForAnotherKey_IsNotServedAndAskedForOnce()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name);
        foreach (var file in Directory.GetFiles(Path.Combine(fixture.StorePath, "certificates"), "*", SearchOption.AllDirectories))
        {
            File.Delete(file);
        }

        fixture.Authority.Faults.ReuseValidOrders = true;
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply);
        await Poll.UntilAsync(
            () => app.Log.Lines.Count(line => line.Event.Name == "CertificateFailed") >= 3,
            () => $"three failures\n{app.Log}",
            cancellationToken: Cancelled);

        Assert.Contains("another key", app.Certificates.Find(Name)!.Failure!.Message, StringComparison.Ordinal);
        Assert.Null(app.Certificates.Find(Name)!.SerialNumber);
        Assert.Equal(2, Orders(fixture));
    }

    [Fact]
    public async Task Order_WildcardNotPreApproved_IsBlockedWithTheAdvice()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings(Wildcard), configure: QuickIssuance.Apply);

        await Poll.UntilAsync(
            () => app.Certificates.Find(Wildcard)?.Failure is not null,
            () => $"a failure\n{app.Log}",
            cancellationToken: Cancelled);

        var failure = app.Certificates.Find(Wildcard)!.Failure!;
        Assert.Equal(FailureCause.Operator, failure.Cause);
        Assert.Contains("offers dns-01", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00Z")]
    [InlineData("2020-01-01T00:00:00Z")]
    public async Task Resume_OrderWithStaleExpires_ItsStatusDecides(string expires)
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.NewOrder, Edit(order => order["expires"] = expires), int.MaxValue);
        fixture.Authority.Faults.Inject(ResourceKind.Order, Edit(order => order["expires"] = expires), int.MaxValue);
        fixture.Authority.Faults.Inject(ResourceKind.Certificate, Fault.Problem("serverInternal", 500, "Not now."), times: 5);

        await using var app = await fixture.StartAppAsync(
            fixture.Settings(Name), configure: builder => builder.Services.AddSingleton(FewRepetitions));
        await app.ObtainedAsync(Name);

        Assert.Single(fixture.Authority.Requests, request => request is { Resource: ResourceKind.NewOrder, StatusCode: 201 });
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Finalize_EndedByCaa_IsNotTriedAgainAndANewOrderFollowsLater()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.EndOrdersAtFinalize = "caa";
        await using var app = await fixture.StartAppAsync(fixture.Settings("other.test", Name));
        await Poll.UntilAsync(
            () => app.Certificates.Find(Name)?.Failure is not null && app.Certificates.Find("other.test")?.Failure is not null,
            () => $"failures\n{app.Log}",
            cancellationToken: Cancelled);

        var failure = app.Certificates.Find(Name)!.Failure!;
        Assert.Equal(FailureCause.Operator, failure.Cause);
        Assert.Contains("CAA record", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, failure.Count);

        fixture.Authority.Faults.EndOrdersAtFinalize = null;
        await app.Certificates.RenewAsync(Name, Cancelled);
        await app.Certificates.RenewAsync("other.test", Cancelled);

        var requests = fixture.Authority.Requests;
        var orders = requests.Count(request => request.Resource == ResourceKind.NewOrder);
        Assert.Equal(orders, requests.Count(request => request.Resource == ResourceKind.Finalize));
    }

    [Theory]
    [InlineData("unauthorized")]
    [InlineData("rejectedIdentifier")]
    [InlineData("orderNotReady")]
    [InlineData("malformed")]
    [InlineData("badCSR")]
    [InlineData("urn:example:of-its-own")]
    public async Task Finalize_RefusedAndTheOrderEnded_IsOneFailureAndANewOrderFollowsLater(string type)
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.EndOrdersAtFinalize = type;
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name));
        await Poll.UntilAsync(
            () => app.Certificates.Find(Name)?.Failure is not null, $"a failure\n{app.Log}", cancellationToken: Cancelled);

        Assert.Contains("Finalizing was refused on purpose", app.Certificates.Find(Name)!.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(1, Orders(fixture));
        Assert.Single(fixture.Authority.Requests, request => request.Resource == ResourceKind.Finalize);

        fixture.Authority.Faults.Clear();
        await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(2, Orders(fixture));
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Finalize_RefusedByCaaWithTheOrderStillReady_IsNotTriedAgain()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.Finalize, Fault.Problem("caa", 403, "CAA forbids it."));
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply);

        await app.ObtainedAsync(Name);

        // The second attempt is a second order, not a second try of the first.
        Assert.Equal(2, fixture.Authority.Requests.Count(request => request is { Resource: ResourceKind.NewOrder, StatusCode: 201 }));
        Assert.Equal(2, fixture.Authority.Requests.Count(request => request.Resource == ResourceKind.Finalize));
    }

    [Fact]
    public async Task Challenge_AnswerLostAndTheRepetitionRefusedAsConflict_GoesOnPolling()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.ConflictOnPostedChallenge = true;
        fixture.Authority.Faults.Inject(ResourceKind.Challenge, Fault.CutAfter);

        await using var app = await fixture.ServeAsync(Name);

        Assert.Contains(fixture.Authority.Requests, request => request is { Resource: ResourceKind.Challenge, StatusCode: 409 });
        Assert.False(app.Log.Has("CertificateFailed"));
    }

    [Fact]
    public async Task Challenge_OnlyConflictsAreAnswered_GoesOnPolling()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.Challenge, Fault.Rewrite(
            _ => """{"type":"urn:ietf:params:acme:error:conflict","detail":"It is being validated."}""",
            409,
            "application/problem+json"), int.MaxValue);

        await using var app = await fixture.ServeAsync(Name);

        Assert.True(app.Log.Has("ChallengeUnderWay"));
        Assert.False(app.Log.Has("CertificateFailed"));
    }

    [Fact]
    public async Task Challenge_EveryAnswerIsLost_GoesOnPolling()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.Challenge, Fault.CutAfter, int.MaxValue);

        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: FaultMatrixSettings);
        await app.ObtainedAsync(Name);

        Assert.False(app.Log.Has("CertificateFailed"));
    }

    [Fact]
    public async Task Download_ChainInOddForm_IsServedInOrder()
    {
        await using var fixture = await LocalFixture.StartAsync(options => options.OfferAlternateChain = true);
        fixture.Authority.Faults.Inject(ResourceKind.Certificate, Fault.Rewrite(Reversed), int.MaxValue);
        var settings = fixture.Settings(Name);
        await using var app = await fixture.ServeAsync(settings);

        var answer = await app.ConnectAsync(Name, Cancelled);

        Assert.True(answer.Leaf.MatchesHostname(Name));
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Download_UnusableForAWhile_IsRepeatedAndTheOrderIsNot()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply);
        await app.ObtainedAsync(Name);
        var orders = Orders(fixture);
        fixture.Authority.Faults.Inject(ResourceKind.Certificate, Fault.Rewrite(LeafOnly), times: 7);

        // The first attempt ends without a usable chain; the later ones ask for the certificate again.
        await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(Name, Cancelled));
        await Poll.UntilAsync(
            () => app.Certificates.Find(Name) is { State: CertificateState.Valid, Failure: null },
            () => $"a certificate\n{app.Log}",
            cancellationToken: Cancelled);

        Assert.Equal(orders + 1, Orders(fixture));
        Assert.Equal(2, fixture.Authority.Issued.Count);
        Assert.True(app.Log.Has("DownloadRepeated"));
    }

    [Fact]
    public async Task Download_UnusableAlways_OneOrderHoweverOftenAPersonAsks()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply);
        await app.ObtainedAsync(Name);
        var orders = Orders(fixture);
        fixture.Authority.Faults.Inject(ResourceKind.Certificate, Fault.Rewrite(LeafOnly), int.MaxValue);

        for (var i = 0; i < 5; i++)
        {
            await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(Name, Cancelled));
        }

        Assert.Equal(orders + 1, Orders(fixture));
    }

    [Theory]
    [InlineData("victim.test", false)]
    [InlineData("app.test", true)]
    public async Task Authorization_NotOrdered_IsNotWorkedOn(string value, bool wildcard)
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.Authorization, Edit(authorization =>
        {
            authorization["identifier"]!["value"] = value;
            authorization["wildcard"] = wildcard;
        }), int.MaxValue);
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply);

        await Poll.UntilAsync(
            () => app.Certificates.Find(Name)?.Failure is not null,
            () => $"a failure\n{app.Log}",
            cancellationToken: Cancelled);

        Assert.Contains("which was not ordered", app.Certificates.Find(Name)!.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(FailureCause.Authority, app.Certificates.Find(Name)!.Failure!.Cause);
        Assert.Equal(0, fixture.PostedChallenges);
        Assert.False(app.Log.Has("ChallengePrepared"));
    }

    [Fact]
    public async Task Authorization_InAnotherNotation_IsWorkedOn()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.Inject(
            ResourceKind.Authorization, Edit(authorization => authorization["identifier"]!["value"] = "APP.Test."), int.MaxValue);

        await using var app = await fixture.ServeAsync(Name);

        Assert.Equal(1, fixture.PostedChallenges);
    }

    // An empty text leaves the member out.
    private static void SetAuthorizations(JsonObject order, string authorizations)
    {
        order.Remove("authorizations");
        if (authorizations.Length > 0)
        {
            order["authorizations"] = JsonNode.Parse(authorizations);
        }
    }

    private static int Orders(LocalFixture fixture)
        => fixture.Authority.Requests.Count(request => request is { Resource: ResourceKind.NewOrder, StatusCode: 201 });

    private static Fault Edit(Action<JsonObject> edit) => Fault.Rewrite(body =>
    {
        var json = JsonNode.Parse(body)!.AsObject();
        edit(json);
        return json.ToJsonString();
    });

    private static string Reversed(string pem) => string.Join("\n", Certificates(pem).Concat(Certificates(pem)).Reverse()) + "\n";

    private static string LeafOnly(string pem) => Certificates(pem)[0] + "\n";

    private static string[] Certificates(string pem)
        => [.. pem.Split("-----END CERTIFICATE-----", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(part => part + "\n-----END CERTIFICATE-----")];

    private static void FaultMatrixSettings(WebApplicationBuilder builder)
        => builder.Services.AddSingleton(FaultMatrix.FaultMatrixSettings.Answering with
        {
            Polling = new Protocol.AcmePollingOptions
            {
                InitialDelay = TimeSpan.FromMilliseconds(5),
                MaxDelay = TimeSpan.FromMilliseconds(50),
                Timeout = TimeSpan.FromSeconds(20),
            },
        });
}
