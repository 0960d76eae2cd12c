using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Hosting;
using KestrelAcme.Storage;
using KestrelAcme.Tests.Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Xunit;

namespace KestrelAcme.Tests.Hosting;

public sealed class CertificateHealthCheckTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Check_AllValid_IsHealthyAndListsEach()
    {
        await using var parts = Parts("a.test", "b.test");
        var current = parts.Serve("a.test");
        parts.Serve("b.test");

        var result = await CheckAsync(parts);

        Assert.Equal(HealthStatus.Healthy, result.Status);
        Assert.Equal("All 2 certificates are fine.", result.Description);
        var listed = Listed(result, "a.test");
        Assert.Equal("Valid", listed["state"]);
        Assert.Equal(current.NotAfter, listed["expires"]);
        Assert.Equal(["a.test"], (string[])listed["names"]);
        Assert.False(listed.ContainsKey("problem"));
        Assert.Equal((0, "available"), (result.Data["notListed"], result.Data["storage"]));
    }

    [Fact]
    public async Task Check_NameWithoutCertificate_IsDegraded()
    {
        await using var parts = Parts("a.test", "b.test");
        parts.Serve("a.test");

        var result = await CheckAsync(parts);

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Equal("1 of 2 certificates need attention: b.test (no certificate for its names).", result.Description);
        Assert.Equal("no certificate for its names", Listed(result, "b.test")["problem"]);
    }

    [Fact]
    public async Task Check_NotReadYet_IsHealthy()
    {
        await using var parts = Parts("a.test");
        parts.Catalog.Find("a.test")!.IsLoaded = false;

        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(parts)).Status);
    }

    [Fact]
    public async Task Check_RenewalLate_IsDegradedAfterATwentiethOfTheLifetime()
    {
        await using var parts = Parts("a.test");
        parts.Serve("a.test"); // Issued a day ago, for 90 days: due on day 60.

        parts.Time.Advance(TimeSpan.FromDays(63));
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(parts)).Status);

        parts.Time.Advance(TimeSpan.FromDays(2));
        var result = await CheckAsync(parts);
        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Equal("renewal overdue", Listed(result, "a.test")["problem"]);
    }

    [Fact]
    public async Task Check_Expired_SaysSoWithTheLastFailure()
    {
        await using var parts = Parts("a.test");
        parts.Serve("a.test");
        Fail(parts, "a.test", CertificateState.Waiting, FailureCause.Authority, "The CA is down.");
        parts.Time.Advance(TimeSpan.FromDays(90));

        var result = await CheckAsync(parts);

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Equal("expired, renewal overdue: The CA is down.", Listed(result, "a.test")["problem"]);
    }

    [Fact]
    public async Task Check_FailedButNotLate_IsHealthy()
    {
        await using var parts = Parts("a.test");
        parts.Serve("a.test");
        Fail(parts, "a.test", CertificateState.Waiting, FailureCause.Name, "The name leads elsewhere.");

        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(parts)).Status);
    }

    [Fact]
    public async Task Check_Blocked_IsDegradedWithTheReason()
    {
        await using var parts = Parts("a.test");
        parts.Serve("a.test");
        Fail(parts, "a.test", CertificateState.Blocked, FailureCause.Operator, "CAA forbids it.");

        var result = await CheckAsync(parts);

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Equal("blocked until an operator acts: CAA forbids it.", Listed(result, "a.test")["problem"]);
    }

    [Fact]
    public async Task Check_NothingMayBeOrdered_IsDegradedOnceSomethingIsDue()
    {
        await using var parts = Parts("a.test");
        parts.Serve("a.test");
        parts.Get<IssuanceStatus>().ReasonNotToOrder = "The store does not survive a restart.";
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(parts)).Status);

        parts.Time.Advance(TimeSpan.FromDays(60));
        var result = await CheckAsync(parts);

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.StartsWith("The store does not survive a restart. 1 of 1", result.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_StoreDown_IsDegradedUntilItResponds()
    {
        await using var parts = Parts("a.test");
        parts.Serve("a.test");
        var storage = parts.Get<BoundedStorage>();
        storage.Monitor.Failed(StorageOperation.Read, new StorageUnavailableException("The disk is gone."), Cancelled);

        var result = await CheckAsync(parts);

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Equal($"The store is unavailable since {parts.Time.GetUtcNow():u}: The disk is gone.", result.Description);
        Assert.StartsWith("unavailable since", (string)result.Data["storage"], StringComparison.Ordinal);

        await storage.ReadAsync("a", Cancelled);
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(parts)).Status);
    }

    [Fact]
    public async Task Check_ManyCertificates_ListsAHundredAndThoseThatNeedAttentionFirst()
    {
        string[] names = [.. Enumerable.Range(0, 150).Select(i => $"n{i:000}.test")];
        await using var parts = Parts(names);
        foreach (var name in names[..149])
        {
            parts.Serve(name);
        }

        var result = await CheckAsync(parts);

        var listed = Certificates(result);
        Assert.Equal((100, 50), (listed.Count, result.Data["notListed"]));
        Assert.True(Listed(result, "n149.test").ContainsKey("problem"));
    }

    [Fact]
    public async Task Check_ManyProblems_NamesThreeInTheDescription()
    {
        await using var parts = Parts("a.test", "b.test", "c.test", "d.test", "e.test");

        var result = await CheckAsync(parts);

        Assert.Equal(
            "5 of 5 certificates need attention: a.test (no certificate for its names), b.test (no certificate for its names), "
            + "c.test (no certificate for its names), and 2 more.",
            result.Description);
    }

    [Fact]
    public async Task Check_UnhealthyByOption_ReportsThat()
    {
        await using var parts = Parts("a.test");

        Assert.Equal(
            HealthStatus.Unhealthy, (await CheckAsync(parts, checks => checks.AddAcmeHttps(failureStatus: HealthStatus.Unhealthy))).Status);
    }

    [Fact]
    public void Add_Default_HasTheTagAcmeAndNoOther()
    {
        var registration = Registration(checks => checks.AddAcmeHttps());

        Assert.Equal(("acme-https", HealthStatus.Degraded), (registration.Name, registration.FailureStatus));
        Assert.Equal(["acme"], registration.Tags);
    }

    [Fact]
    public void Add_NameAndTags_AreUsedBesideTheTagAcme()
    {
        var registration = Registration(checks => checks.AddAcmeHttps("certificates", tags: ["monitoring"]));

        Assert.Equal("certificates", registration.Name);
        Assert.Equal(["acme", "monitoring"], registration.Tags.Order());
    }

    [Fact]
    public void Create_WithoutAddAcmeHttps_SaysWhatToCall()
    {
        using var services = new ServiceCollection().BuildServiceProvider();

        var exception = Assert.Throws<InvalidOperationException>(() => Registration(checks => checks.AddAcmeHttps()).Factory(services));

        Assert.Contains("builder.Services.AddAcmeHttps()", exception.Message, StringComparison.Ordinal);
    }

    private static EngineParts Parts(params string[] names)
    {
        var parts = new EngineParts(names);
        parts.Manage();
        return parts;
    }

    private static void Fail(EngineParts parts, string name, CertificateState state, FailureCause cause, string message)
    {
        var certificate = parts.Catalog.Find(name)!;
        var now = parts.Time.GetUtcNow();
        certificate.State = new CertificateStateRecord
        {
            State = state,
            Failure = new FailureRecord { Count = 1, Cause = cause, Message = message, At = now, NextAttempt = now.AddHours(1) },
        };
    }

    private static async Task<HealthCheckResult> CheckAsync(EngineParts parts, Action<IHealthChecksBuilder>? add = null)
    {
        var registration = Registration(add ?? (checks => checks.AddAcmeHttps()));
        var check = registration.Factory(parts.Get<IServiceProvider>());
        return await check.CheckHealthAsync(new HealthCheckContext { Registration = registration }, Cancelled);
    }

    private static HealthCheckRegistration Registration(Action<IHealthChecksBuilder> add)
    {
        var services = new ServiceCollection();
        add(services.AddHealthChecks());
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations.Single();
    }

    private static Dictionary<string, object> Certificates(HealthCheckResult result)
        => (Dictionary<string, object>)result.Data["certificates"];

    private static Dictionary<string, object> Listed(HealthCheckResult result, string name)
        => (Dictionary<string, object>)Certificates(result)[name];
}
