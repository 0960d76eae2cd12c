using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration;
using KestrelAcme.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelAcme.Tests.Simulation;

/// <summary>The real scheduler with the default pace of a public authority, on works that take no time.</summary>
internal sealed class SchedulerModel
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<(string Id, DateTimeOffset At)> _worked = [];
    private readonly Func<string, DateTimeOffset, PlannedWork?> _next;
    private Task _running = Task.CompletedTask;

    public SchedulerModel(Func<string, DateTimeOffset, PlannedWork?>? next = null)
    {
        _next = next ?? ((_, _) => null);
        var configuration = SimulatedConfiguration.Create([]);
        var settings = new IssuanceSettings();
        Gate = new CountingGate(new OrderPace(new ConfigurationSource(() => configuration, NullLogger<ConfigurationSource>.Instance), settings));
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
        _running = Task.Run(() => Scheduler.RunAsync((id, _) => WorkAsync(id), () => { }, _stop.Token));
        Quiet.Wait();
        while (Time.GetUtcNow() < end)
        {
            Time.AdvanceToNextTimer();
            Quiet.Wait();
        }

        _stop.Cancel();
        _running.Wait();
    }

    private Task<PlannedWork?> WorkAsync(string id)
    {
        lock (_worked)
        {
            var now = Time.GetUtcNow();
            _worked.Add((id, now));
            return Task.FromResult(_next(id, now));
        }
    }
}
