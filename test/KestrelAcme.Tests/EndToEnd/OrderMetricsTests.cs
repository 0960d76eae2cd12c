using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>What an application's metrics show of orders.</summary>
public sealed class OrderMetricsTests
{
    private const string Name = "measured.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Order_Obtained_IsCountedWithItsStepsAndRequests()
    {
        await using var fixture = await LocalFixture.StartAsync();
        MetricReader? reader = null;
        await using var app = await fixture.StartAppAsync(
            fixture.Settings(Name),
            configure: b => b.Services.AddHealthChecks().AddAcmeHttps(),
            pipeline: web => reader = new MetricReader(web.Services));
        using var metrics = reader!;
        await app.ObtainedAsync(Name);

        await Poll.UntilAsync(
            () => metrics.All.Any(v => v.Name == Instruments.OrderDuration), "the order is measured", cancellationToken: Cancelled);
        var host = fixture.Authority.DirectoryUrl.Host;
        Assert.Equal(1, metrics.Sum(Instruments.Orders, host, "obtained"));
        Assert.Single(metrics.All, v => v.Name == Instruments.OrderDuration && v.Tags.Values.Contains("obtained"));
        var steps = metrics.All.Where(v => v.Name == Instruments.StepDuration).Select(v => v.Tags[InstrumentTags.Step]);
        Assert.Contains(OrderActivities.SubmitChallenge, steps);
        Assert.Contains(OrderActivities.StoreState, steps);
        Assert.DoesNotContain(metrics.All, v => v.Name == Instruments.StepDuration && v.Tags.Values.Contains("failed"));
        Assert.True(metrics.Sum(Instruments.ChallengeRequests, "http-01", "answered") > 0);
        Assert.True(metrics.Sum(Instruments.StorageOperations, "write", "succeeded") > 0);
        Assert.True(metrics.Sum(Instruments.Transitions, "valid") > 0);
        Assert.True(Assert.Single(metrics.Gauge(Instruments.Expiry)).Number > 0);

        await AssertHealthAsync(app, HealthStatus.Healthy);
    }

    [Fact]
    public async Task Order_NameLeadsElsewhere_IsCountedAsFailedByTheName()
    {
        await using var fixture = await LocalFixture.StartAsync();
        MetricReader? reader = null;
        await using var app = await fixture.StartAppAsync(
            fixture.Settings(Name),
            configure: b => b.Services.AddHealthChecks().AddAcmeHttps(),
            pipeline: web =>
            {
                reader = new MetricReader(web.Services);
                fixture.Authority.Resolve(Name, new(IPAddress.Loopback, FreePort.Tcp()));
            });
        using var metrics = reader!;

        await Poll.UntilAsync(() => metrics.Sum(Instruments.Orders) > 0, "the order is counted", cancellationToken: Cancelled);

        var order = metrics.All.First(v => v.Name == Instruments.Orders);
        Assert.Equal(("failed", "name"), (order.Tags[InstrumentTags.Outcome], order.Tags[InstrumentTags.FailureCause]));
        Assert.Contains(
            metrics.All,
            v => v.Name == Instruments.StepDuration
                && v.Tags[InstrumentTags.Step] == OrderActivities.PollAuthorization
                && v.Tags[InstrumentTags.Outcome] == "failed");
        await AssertHealthAsync(app, HealthStatus.Degraded);
    }

    [Fact]
    public async Task Request_UnknownToken_IsCountedAsUnknown()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.ServeAsync(Name);
        using var metrics = new MetricReader(app.Services);

        using var response = await app.GetHttpAsync("/.well-known/acme-challenge/nothing", cancellationToken: Cancelled);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal(1, metrics.Sum(Instruments.ChallengeRequests, "http-01", "unknown"));
    }

    private static async Task AssertHealthAsync(AcmeApp app, HealthStatus expected)
    {
        var report = await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancelled);
        Assert.Equal(expected, report.Status);
    }
}
