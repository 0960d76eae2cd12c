using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tests.Certificates;
using Xunit;

namespace KestrelAcme.Tests.Diagnostics;

public sealed class CertificateGaugesTests
{
    [Fact]
    public async Task Read_Certificates_ShowsEach()
    {
        await using var parts = Parts("a.test", "b.test");
        using var metrics = new MetricReader(parts.Get<IServiceProvider>());
        parts.Serve("a.test");
        var (day, id) = (24 * 60 * 60.0, InstrumentTags.CertificateId);

        var expiry = Assert.Single(metrics.Gauge(Instruments.Expiry));
        var renewals = metrics.Gauge(Instruments.Renewal).ToDictionary(v => v.Tags[id], v => v.Number);
        var earliest = Assert.Single(metrics.Gauge(Instruments.EarliestExpiry));

        Assert.Equal(("a.test", 89 * day), (expiry.Tags[id], expiry.Number));
        Assert.Equal((59 * day, 0), (renewals["a.test"], renewals["b.test"]));
        Assert.Equal((89 * day, 0), (earliest.Number, earliest.Tags.Count));
    }

    [Fact]
    public async Task Read_Certificates_CountsStatesAndProblems()
    {
        await using var parts = Parts("a.test", "b.test", "c.test");
        using var metrics = new MetricReader(parts.Get<IServiceProvider>());
        parts.Serve("a.test");
        parts.Serve("b.test");

        metrics.Gauge(Instruments.Certificates);
        var states = metrics.By(Instruments.Certificates, InstrumentTags.CertificateState);
        var problems = metrics.By(Instruments.Problems, InstrumentTags.CertificateProblem);

        Assert.Equal((2, 1, 0), (states["valid"], states["missing"], states["renewal_due"]));
        Assert.Equal(Enum.GetValues<CertificateState>().Length, states.Count);
        Assert.Equal(["blocked=0", "expired=0", "missing=1", "overdue=0"], problems.Select(p => $"{p.Key}={p.Value}").Order());
    }

    [Fact]
    public async Task Read_LateAndExpired_IsNegative()
    {
        await using var parts = Parts("a.test");
        using var metrics = new MetricReader(parts.Get<IServiceProvider>());
        parts.Serve("a.test");
        parts.Time.Advance(TimeSpan.FromDays(90));

        Assert.Equal(-86400, Assert.Single(metrics.Gauge(Instruments.Expiry)).Number);
        Assert.Equal(-31 * 86400, Assert.Single(metrics.Gauge(Instruments.Renewal)).Number);
        Assert.Equal(-86400, Assert.Single(metrics.Gauge(Instruments.EarliestExpiry)).Number);
    }

    [Fact]
    public async Task Read_MoreCertificatesThanSeries_ShowsOnlyAggregates()
    {
        string[] names = [.. Enumerable.Range(0, CertificateGauges.MostSeries + 1).Select(i => $"n{i}.test")];
        await using var parts = Parts(names);
        using var metrics = new MetricReader(parts.Get<IServiceProvider>());
        parts.Serve(names[0]);

        Assert.Empty(metrics.Gauge(Instruments.Expiry));
        Assert.Empty(metrics.Gauge(Instruments.Renewal));
        Assert.Single(metrics.Gauge(Instruments.EarliestExpiry));
        Assert.Equal(names.Length, metrics.Gauge(Instruments.Certificates).Sum(v => v.Number));
    }

    [Fact]
    public async Task Read_ServeOnly_PlansNothing()
    {
        await using var parts = Parts("a.test");
        using var metrics = new MetricReader(parts.Get<IServiceProvider>());
        parts.Serve("a.test");
        parts.Get<IssuanceStatus>().ReasonNotToOrder = "AcmeHttps:Issuance is ServeOnly.";

        Assert.Empty(metrics.Gauge(Instruments.Renewal));
        Assert.Single(metrics.Gauge(Instruments.Expiry));
    }

    [Fact]
    public async Task Read_QueueLength_CountsWhatIsDueByLane()
    {
        await using var parts = Parts("a.test");
        using var metrics = new MetricReader(parts.Get<IServiceProvider>());

        var lanes = metrics.Gauge(Instruments.QueueLength).ToDictionary(v => v.Tags[InstrumentTags.Lane], v => v.Number);

        Assert.Equal(["maintenance=0", "new_orders=0", "on_demand=0", "renewals=0"], lanes.Select(l => $"{l.Key}={l.Value}").Order());
    }

    [Fact]
    public void CountDue_ReplacedAndRemoved_CountsWhatStillWaits()
    {
        var queue = new WorkQueue();
        var now = DateTimeOffset.UnixEpoch;
        PlannedWork Due(DateTimeOffset due) => new(due, WorkLane.Renewals, now.AddDays(1));
        queue.Set("a", Due(now), now);
        queue.Set("b", Due(now), now);
        queue.Set("c", Due(now.AddHours(1)), now);
        queue.Advance(now);
        queue.Remove("b");

        Assert.Equal((1, 0), (queue.CountDue(WorkLane.Renewals), queue.CountDue(WorkLane.NewOrders)));
    }

    private static EngineParts Parts(params string[] names)
    {
        var parts = new EngineParts(names);
        parts.Manage();
        parts.Get<CertificateGauges>().Publish();
        return parts;
    }
}
