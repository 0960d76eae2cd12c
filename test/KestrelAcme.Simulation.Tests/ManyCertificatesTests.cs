using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using Xunit;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Tens of thousands of certificates, by the real scheduler, the real pace and the real policy.</summary>
[Collection(nameof(Alone))]
public sealed class ManyCertificatesTests(ITestOutputHelper output)
{
    private const int Many = 10_000;
    private const int VeryMany = 100_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(45);

    [Fact]
    public Task Renewals_TenThousandDueAtOnce_OneASecondTheMostUrgentFirst() => Simulation.RunAsync(async () =>
    {
        var model = new SchedulerModel();
        var now = model.Time.GetUtcNow();
        var urgencies = Enumerable.Range(0, Many).ToDictionary(i => $"c{i}", i => now.AddMinutes(1 + ((i * 7919L) % Many)));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var (id, urgency) in urgencies)
        {
            model.Scheduler.Schedule(id, new PlannedWork(now, WorkLane.Renewals, urgency));
        }

        var planned = GC.GetTotalMemory(forceFullCollection: true) - before;
        await model.RunAsync(TimeSpan.FromSeconds(Many + 10));

        output.WriteLine($"{model.Worked.Count} renewals, {planned / Many} bytes for each that waits");
        Assert.Equal(urgencies.OrderBy(u => u.Value).Select(u => u.Key), model.Worked.Select(w => w.Id));
        Assert.All(model.Worked.Zip(model.Worked.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= TimeSpan.FromSeconds(1)));
        Assert.True(planned < Many * 400, $"{planned} bytes");
    });

    [Fact]
    public Task NewOrders_TenThousandDueAtOnce_StayBelowThreeHundredInThreeHours() => Simulation.RunAsync(async () =>
    {
        var model = new SchedulerModel();
        var now = model.Time.GetUtcNow();
        for (var i = 0; i < Many; i++)
        {
            model.Scheduler.Schedule($"c{i}", new PlannedWork(now, WorkLane.NewOrders, now));
        }

        await model.RunAsync(TimeSpan.FromHours(48));

        var times = model.Worked.Select(w => w.At).ToList();
        output.WriteLine($"{times.Count} orders in 48 hours");
        Assert.InRange(times.Count, 3800, 3900);
        Assert.All(Enumerable.Range(0, times.Count - 300), i => Assert.True(times[i + 300] - times[i] >= TimeSpan.FromHours(3)));
    });

    [Fact]
    public Task SteadyState_AHundredThousandOfSixWeeks_IsSustained() => Simulation.RunAsync(async () =>
    {
        const int days = 3;
        var random = new Random(1);
        var due = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        var latest = TimeSpan.Zero;
        var model = new SchedulerModel((id, now) =>
        {
            latest = now - due[id] > latest ? now - due[id] : latest;
            return Plan(due, id, now, now, random.NextDouble());
        });
        var start = model.Time.GetUtcNow();
        for (var i = 0; i < VeryMany; i++)
        {
            // Each was issued at some time of the last thirty days: that is when the renewals come round.
            model.Scheduler.Schedule(
                $"c{i}", Plan(due, $"c{i}", start, start - (Lifetime * 0.6466 * random.NextDouble()), random.NextDouble()));
        }

        await model.RunAsync(TimeSpan.FromDays(days));

        // On the first days the spread of two percent is still being filled.
        var lastDay = model.Worked.Count(w => w.At > start.AddDays(days - 1));
        output.WriteLine($"{lastDay} renewals on the last day, the latest {latest.TotalSeconds:0.0} s after it was due");
        Assert.InRange(lastDay, 3_200, 3_600);
        Assert.True(latest < TimeSpan.FromMinutes(1), $"{latest} late");
    });

    [Fact]
    public Task Idle_AHundredThousand_NothingIsDone() => Simulation.RunAsync(async () =>
    {
        var model = new SchedulerModel();
        var now = model.Time.GetUtcNow();
        for (var i = 0; i < VeryMany; i++)
        {
            model.Scheduler.Schedule($"c{i}", new PlannedWork(now.AddDays(10).AddSeconds(i), WorkLane.Renewals, now.AddDays(30)));
        }

        var looks = model.Gate.Looks;
        await model.RunAsync(TimeSpan.FromDays(1));

        output.WriteLine($"{model.Gate.Looks - looks} looks at lanes in a day");
        Assert.Empty(model.Worked);

        // Each lane, once a minute.
        Assert.InRange(model.Gate.Looks - looks, 1, Enum.GetValues<WorkLane>().Length * ((24 * 60) + 10));
    });

    private static PlannedWork Plan(
        Dictionary<string, DateTimeOffset> due, string id, DateTimeOffset now, DateTimeOffset issued, double jitter)
    {
        var facts = new CertificateFacts(issued, issued + Lifetime, CoversNames: true, HasRenewalInfo: false, jitter);
        var decision = RenewalPolicy.Decide(facts, null, null, now);
        due[id] = decision.DueAt;
        return new PlannedWork(decision.DueAt, WorkLane.Renewals, facts.NotAfter);
    }
}
