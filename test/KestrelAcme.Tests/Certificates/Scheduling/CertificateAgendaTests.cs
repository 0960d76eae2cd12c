using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class CertificateAgendaTests
{
    private const string Name = "app.test";

    /// <summary>The plan was made without the request, whose own job it must not replace: that one is due now, the plan in weeks.</summary>
    [Fact]
    public async Task Plan_AskedForBetweenThePlanAndTheQueue_TheOrderStartsNow()
    {
        await using var parts = new EngineParts([Name]);
        parts.Manage();
        parts.Serve(Name);
        var certificate = parts.Catalog.Find(Name)!;
        var time = new InterruptedTime(parts.Time);
        var scheduler = new CertificateScheduler(new FakeGate(), new IssuanceSettings(), time, parts.Log.For<CertificateScheduler>());
        var agenda = new CertificateAgenda(parts.Catalog, parts.Get<CertificatePlanner>(), scheduler, parts.Get<OrderTurns>(), parts.Time);
        time.Interruption = () =>
        {
            certificate.Ask(force: true);
            agenda.OrderNow(certificate);
        };

        agenda.Plan(certificate);

        Assert.Null(time.Interruption);
        var started = new TaskCompletionSource<WorkLane>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var run = scheduler.RunAsync(
            (_, lane) =>
            {
                started.TrySetResult(lane);
                return Task.FromResult<PlannedWork?>(null);
            },
            static () => { },
            stop.Token);
        await parts.Time.WhenWaitingAsync(cancellationToken: TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await run;

        Assert.True(started.Task.IsCompletedSuccessfully, "The request waits for the planned renewal.");
        Assert.Equal(WorkLane.Renewals, await started.Task);
    }

    /// <summary>Does something when the scheduler asks for the time, which it does before it replaces a job.</summary>
    private sealed class InterruptedTime(TimeProvider inner) : TimeProvider
    {
        public Action? Interruption { get; set; }

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override DateTimeOffset GetUtcNow()
        {
            var interruption = Interruption;
            Interruption = null;
            interruption?.Invoke();
            return inner.GetUtcNow();
        }

        public override long GetTimestamp() => inner.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
            => inner.CreateTimer(callback, state, dueTime, period);
    }
}
