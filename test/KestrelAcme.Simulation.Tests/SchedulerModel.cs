using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration;
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
    private readonly OrderPaceStore _pace;
    private Task _running = Task.CompletedTask;

    public SchedulerModel(Func<string, DateTimeOffset, PlannedWork?>? next = null)
    {
        _next = next ?? ((_, _) => null);
        var configuration = SimulatedConfiguration.Create([]);
        var settings = new IssuanceSettings();
        var pace = new OrderPace(new ConfigurationSource(() => configuration, NullLogger<ConfigurationSource>.Instance), settings);
        _pace = new OrderPaceStore(pace, new InMemoryStorage(Time), settings, Time, NullLogger<OrderPaceStore>.Instance);
        Gate = new CountingGate(pace);
        Scheduler = new CertificateScheduler(Gate, settings, Time, NullLogger<CertificateScheduler>.Instance);
    }

    public FakeTimeProvider Time { get; } = new();

    public CertificateScheduler Scheduler { get; }

    public CountingGate Gate { get; }

    /// <summary>What was worked on, and when, in the order of its start.</summary>
    public IReadOnlyList<(string Id, DateTimeOffset At)> Worked => _worked;

    public void Run(TimeSpan span)
    {
        var end = Time.GetUtcNow() + span;
        _running = Task.Run(() => Scheduler.RunAsync(WorkAsync, () => { }, _stop.Token));
        Quiet.Wait();
        while (Time.GetUtcNow() < end)
        {
            Time.AdvanceToNextTimer();
            Quiet.Wait();
        }

        _stop.Cancel();
        _running.Wait();
    }

    private async Task<PlannedWork?> WorkAsync(string id, WorkLane lane)
    {
        if (lane == WorkLane.NewOrders && await _pace.TakeAsync(CancellationToken.None) is { } later)
        {
            return new PlannedWork(later, lane, later);
        }

        lock (_worked)
        {
            var now = Time.GetUtcNow();
            _worked.Add((id, now));
            return _next(id, now);
        }
    }
}
