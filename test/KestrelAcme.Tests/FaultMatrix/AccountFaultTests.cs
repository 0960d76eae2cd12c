using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.FaultMatrix;

/// <summary>What an authority has against the account: found out once, shown by all names, and counted against none.</summary>
public sealed class AccountFaultTests
{
    private const int Many = 20;

    private static readonly string[] Names = [.. Enumerable.Range(0, Many).Select(i => $"n{i}.test")];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Renew_AccountDeactivated_IsFoundOutOnceForAllNames()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await ServeAsync(fixture, fixture.Settings(Names));
        fixture.Authority.Faults.DeactivateAccounts();
        fixture.Authority.ClearRequests();

        var failures = await Task.WhenAll(
            Names.Select(name => Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(name, Cancelled))));

        Assert.All(failures, failure => AssertBlocked(failure.Failure, "deactivated", "accounts/"));
        Assert.All(
            app.Certificates.List(),
            status => Assert.Equal((CertificateState.Blocked, FailureCause.Operator), (status.State, status.Failure?.Cause)));
        Assert.All(app.Services.GetRequiredService<CertificateCatalog>().All, certificate => Assert.Null(certificate.State.Failure));
        Assert.Single(app.Log.Lines, l => l.Event.Name == "AccountBlocked");
        Assert.InRange(fixture.Authority.Requests.Count(r => r.Method == "POST"), 2, 7);
        Assert.Equal(1, Count(fixture, ResourceKind.NewAccount));
    }

    [Fact]
    public async Task Renew_AccountIsValidAgain_AllNamesAreRenewed()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync(fixture.Settings("a.test", "b.test", "c.test"), QuickIssuance.Apply);
        var before = app.Certificates.List().ToDictionary(s => s.Id, s => s.SerialNumber);
        fixture.Authority.Faults.DeactivateAccounts();
        await Task.WhenAll(
            before.Keys.Select(id => Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(id, Cancelled))));

        fixture.Authority.Faults.ReactivateAccounts();

        await UntilAsync(
            app,
            () => app.Certificates.List()
                .All(s => s is { State: CertificateState.Valid, Failure: null } && s.SerialNumber != before[s.Id]));
    }

    [Fact]
    public async Task Restart_AccountDeactivated_TakesFewRequestsAndRecovers()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Names[..3]);
        fixture.Authority.Faults.DeactivateAccounts();
        await using (var first = await fixture.StartAppAsync(fixture.Settings(Names), configure: Hours))
        {
            await UntilAsync(first, () => first.Certificates.List().Count(s => s.State == CertificateState.Blocked) == Many - 3);
            await first.StopAsync(Cancelled);
        }

        fixture.Authority.ClearRequests();
        await using (var second = await fixture.StartAppAsync(fixture.Settings(Names), configure: Hours))
        {
            await UntilAsync(second, () => second.Certificates.List().Count(s => s.State == CertificateState.Blocked) == Many - 3);
            await second.StopAsync(Cancelled);
        }

        Assert.InRange(fixture.Authority.Requests.Count(r => r.Method == "POST"), 0, 2);
        fixture.Authority.Faults.ReactivateAccounts();
        await using var third = await fixture.StartAppAsync(fixture.Settings(Names), configure: Hours);
        await UntilAsync(third, () => third.Certificates.List().All(s => s.State == CertificateState.Valid));
    }

    [Fact]
    public async Task Renew_AccountFileRemoved_ANewAccountIsRegistered()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync(fixture.Settings("app.test"), QuickIssuance.Apply);
        var account = Assert.Single(fixture.Authority.Issued).AccountId;
        fixture.Authority.Faults.DeactivateAccounts();
        await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));

        File.Delete(Assert.Single(Directory.GetFiles(Path.Combine(fixture.StorePath, "accounts"), "*.pem")));

        await UntilAsync(app, () => fixture.Authority.Issued.Count == 2);
        Assert.NotEqual(account, fixture.Authority.Issued[1].AccountId);
    }

    public static TheoryData<string> Refusals => ["deactivated", "binding", "terms", "profile", "unauthorized"];

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Renew_FirstAuthorityRefusesTheAccount_TheSecondIssuesAtOnce(string refusal)
    {
        await using var first = await LocalFixture.StartAsync(o => o.RequireExternalAccountBinding = refusal == "binding");
        await using var second = await LocalFixture.StartAsync();
        var settings = FailoverTests.Settings(first, second, "app.test");
        if (refusal == "profile")
        {
            settings["AcmeHttps:Authorities:0:Profile"] = "classic";
        }

        await using var app = await AcmeApp.StartAsync(settings, configure: Hours, cancellationToken: Cancelled);
        await app.ObtainedAsync("app.test");
        var faults = first.Authority.Faults;
        switch (refusal)
        {
            case "deactivated":
                faults.DeactivateAccounts();
                break;
            case "terms":
                faults.Inject(ResourceKind.NewOrder, Fault.Problem("userActionRequired", 403, "The terms have changed."), int.MaxValue);
                break;
            case "profile":
                faults.RefuseProfile("classic");
                break;
            case "unauthorized":
                faults.Inject(ResourceKind.NewOrder, Fault.Problem("unauthorized", 403, "This account may not order."), int.MaxValue);
                break;
            default:
                Assert.Equal(second.Authority.DirectoryUrl, app.Certificates.Find("app.test")!.DirectoryUrl);
                return;
        }

        if (refusal == "unauthorized")
        {
            // Orders were accepted before: it may be this name alone, which the next authority takes.
            await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));
        }

        var renewed = await app.Certificates.RenewAsync("app.test", Cancelled);

        Assert.Equal(second.Authority.DirectoryUrl, renewed.DirectoryUrl);
        Assert.Equal(CertificateState.Valid, renewed.State);
    }

    [Fact]
    public async Task Renew_AccountRevoked_ANewKeyIsRegisteredOnce()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await ServeAsync(fixture, fixture.Settings(Names[..6]));
        var before = await AccountAsync(app);
        fixture.Authority.Faults.RevokeAccounts();
        fixture.Authority.ClearRequests();

        await Task.WhenAll(Names[..6].Select(name => app.Certificates.RenewAsync(name, Cancelled)));

        var after = await AccountAsync(app);
        Assert.NotEqual(Thumbprint(before), Thumbprint(after));
        Assert.NotEqual(before.Metadata.AccountUrl, after.Metadata.AccountUrl);
        Assert.Single(fixture.Authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });
        Assert.Equal(2, fixture.Authority.Issued.Select(i => i.AccountId).Distinct().Count());
    }

    [Fact]
    public async Task Renew_AccountRevokedASecondTimeThatDay_IsBlocked()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await ServeAsync(fixture, fixture.Settings("app.test"));
        fixture.Authority.Faults.RevokeAccounts();
        await app.Certificates.RenewAsync("app.test", Cancelled);
        fixture.Authority.Faults.RevokeAccounts();

        var failure = await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));

        AssertBlocked(failure.Failure, "forbidden");
        Assert.Equal(2, Count(fixture, ResourceKind.NewAccount, status: 201));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Renew_KeyAndUrlDoNotFitOrTheAccountIsLost_TheSameKeyIsRegisteredOnce(bool isLost)
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await ServeAsync(fixture, fixture.Settings(Names[..6]));
        var before = await AccountAsync(app);
        if (isLost)
        {
            fixture.Authority.Faults.LoseAccounts();
        }
        else
        {
            fixture.Authority.Faults.ChangeAccountKeys();
        }

        fixture.Authority.ClearRequests();
        await Task.WhenAll(Names[..6].Select(name => app.Certificates.RenewAsync(name, Cancelled)));

        var after = await AccountAsync(app);
        Assert.Equal(Thumbprint(before), Thumbprint(after));
        Assert.NotEqual(before.Metadata.AccountUrl, after.Metadata.AccountUrl);
        Assert.Single(fixture.Authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });
    }

    [Fact]
    public async Task Start_BindingRefused_IsAskedForOnceAndRecoversWithTheRightOne()
    {
        const string Key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
        await using var fixture = await LocalFixture.StartAsync(o =>
        {
            o.RequireExternalAccountBinding = true;
            o.ExternalAccounts["customer"] = Key;
        });
        Dictionary<string, string?> Settings(string keyId) => new(fixture.Settings(Names))
        {
            ["AcmeHttps:ExternalAccountBinding:KeyId"] = keyId,
            ["AcmeHttps:ExternalAccountBinding:HmacKey"] = Key,
        };
        await using (var first = await fixture.StartAppAsync(Settings("nobody"), configure: Hours))
        {
            await UntilAsync(first, () => first.Certificates.List().All(s => s.State == CertificateState.Blocked));
            AssertBlocked(first.Certificates.List()[0].Failure!, "unknown", "ExternalAccountBinding");
            Assert.Equal(1, Count(fixture, ResourceKind.NewAccount));
            await first.StopAsync(Cancelled);
        }

        await using var second = await fixture.StartAppAsync(Settings("customer"), configure: Hours);
        await UntilAsync(second, () => second.Certificates.List().All(s => s.State == CertificateState.Valid));
    }

    [Theory]
    [InlineData("unauthorized")]
    [InlineData("invalidProfile")]
    public async Task Renew_ProfileRefused_ConcernsThatProfileAloneAndListsTheOthers(string type)
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Names[..8]);
        settings["AcmeHttps:Profile"] = "classic";
        settings["AcmeHttps:Certificates:0:DomainNames:0"] = "other.test";
        settings["AcmeHttps:Certificates:0:Profile"] = "shortlived";
        await using var app = await ServeAsync(fixture, settings);
        fixture.Authority.Faults.RefuseProfile("classic", type, "No certificate profile for you.");
        fixture.Authority.ClearRequests();

        var failures = await Task.WhenAll(
            Names[..8].Select(name => Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(name, Cancelled))));
        var other = await app.Certificates.RenewAsync("other.test", Cancelled);

        Assert.All(
            failures,
            failure => AssertBlocked(failure.Failure, "No certificate profile for you.", "'classic'", "'shortlived'", "AcmeHttps"));
        Assert.Equal(CertificateState.Valid, other.State);
        Assert.InRange(fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: >= 400 }), 1, 4);
    }

    [Fact]
    public async Task Renew_UnknownProfileBesideReplaces_IsAskedForOnce()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync("app.test");
        var settings = fixture.Settings("app.test");
        settings["AcmeHttps:Profile"] = "nope";
        await using var app = await fixture.StartAppAsync(settings, configure: Hours);
        fixture.Authority.ClearRequests();

        var failure = await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));

        AssertBlocked(failure.Failure, "'nope'", "'classic'", "'shortlived'");
        Assert.Equal(AcmeProblemTypes.InvalidProfile, failure.Failure.ProblemType);
        Assert.Equal(1, Count(fixture, ResourceKind.NewOrder));
    }

    [Fact]
    public async Task Renew_Refused503WithRetryAfter_IsNoRateLimit()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await ServeAsync(fixture, fixture.Settings("app.test"));
        fixture.Authority.Faults.Inject(ResourceKind.NewOrder, Fault.Unavailable(TimeSpan.FromHours(2)), int.MaxValue);

        var failure = await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync("app.test", Cancelled));

        Assert.Equal(FailureCause.Authority, failure.Failure.Cause);
        Assert.Contains("unavailable as a whole", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("rate limit", failure.Message, StringComparison.OrdinalIgnoreCase);
        Assert.InRange(failure.Failure.NextAttempt - failure.Failure.At, TimeSpan.FromHours(2), TimeSpan.FromHours(3));
        Assert.Equal(2, Count(fixture, ResourceKind.NewOrder));
    }

    private static void AssertBlocked(CertificateFailure failure, params string[] words)
    {
        Assert.Equal(FailureCause.Operator, failure.Cause);
        Assert.All(words, word => Assert.Contains(word, failure.Message, StringComparison.Ordinal));
    }

    private static int Count(LocalFixture fixture, ResourceKind resource, int? status = null)
        => fixture.Authority.Requests.Count(r => r.Resource == resource && (status is null || r.StatusCode == status));

    private static void Hours(WebApplicationBuilder builder) => builder.Services.AddSingleton(FaultMatrixSettings.Answering);

    private static Task UntilAsync(AcmeApp app, Func<bool> condition)
        => Poll.UntilAsync(condition, () => $"the certificates\n{app.Log}", cancellationToken: Cancelled);

    private static async Task<AcmeApp> ServeAsync(LocalFixture fixture, Dictionary<string, string?> settings)
    {
        var app = await fixture.StartAppAsync(settings, configure: Hours);
        foreach (var name in settings.AllNames())
        {
            await app.ObtainedAsync(name);
        }

        return app;
    }

    private static async Task<AccountRecord> AccountAsync(AcmeApp app)
    {
        var id = app.Services.GetRequiredService<ConfigurationSource>().Current.Authorities[0].Id;
        return (await app.Services.GetRequiredService<CertificateStore>().ReadAccountAsync(id, Cancelled))!;
    }

    private static string Thumbprint(AccountRecord account)
    {
        using var key = AccountKey.FromPem(account.PrivateKeyPem);
        return key.Thumbprint;
    }
}
