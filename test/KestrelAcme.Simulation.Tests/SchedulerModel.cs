using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelAcme.Simulation.Tests;

/// <summary>The real scheduler with the default pace of a public authority, on works that take no time.</summary>
internal sealed class SchedulerModel
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<(string Id, DateTimeOffset At)> _worked = [];
    private readonly Func<string, DateTimeOffset, PlannedWork?> _next;
    private readonly NewOrderRateLimiterStore _pace;

    public SchedulerModel(Func<string, DateTimeOffset, PlannedWork?>? next = null)
    {
        _next = next ?? ((_, _) => null);
        var configuration = SimulatedConfiguration.Create([]);
        var settings = new IssuanceSettings();
        var pace = new NewOrderRateLimiter(
            new ConfigurationSource(() => configuration, NullLogger<ConfigurationSource>.Instance), settings);
        _pace = new NewOrderRateLimiterStore(
            pace,
            new BoundedStorage(new InMemoryStorage(Time), settings.StoreTime, Time),
            settings,
            Time,
            NullLogger<NewOrderRateLimiterStore>.Instance);
        Gate = new CountingGate(pace);
        Scheduler = new CertificateScheduler(Gate, settings, Time, NullLogger<CertificateScheduler>.Instance);
    }

    public FakeTimeProvider Time { get; } = new();

    public CertificateScheduler Scheduler { get; }

    public CountingGate Gate { get; }

    /// <summary>What was worked on, and when, in the order of its start.</summary>
    public IReadOnlyList<(string Id, DateTimeOffset At)> Worked => _worked;

    /// <summary>Lets so much time pass, and stops.</summary>
    public async Task RunAsync(TimeSpan span)
    {
        var end = Time.GetUtcNow() + span;
        var running = Task.Run(() => Scheduler.RunAsync(WorkAsync, () => { }, _stop.Token));
        await Quiet.WhenIdleAsync();
        while (Time.GetUtcNow() < end)
        {
            Time.AdvanceToNextTimer();
            await Quiet.WhenIdleAsync();
        }

        // Work that is under way is waited for, and may itself wait for its time.
        await _stop.CancelAsync();
        await Quiet.WhenIdleAsync();
        while (!running.IsCompleted && Time.AdvanceToNextTimer())
        {
            await Quiet.WhenIdleAsync();
        }

        await running;
    }

    private async Task<PlannedWork?> WorkAsync(string id, WorkLane lane)
    {
        if (lane == WorkLane.NewOrders && await _pace.TakeAsync(CancellationToken.None) is { } later)
        {
            return new PlannedWork(later.At, lane, later.At);
        }

        lock (_worked)
        {
            var now = Time.GetUtcNow();
            _worked.Add((id, now));
            return _next(id, now);
        }
    }
}
