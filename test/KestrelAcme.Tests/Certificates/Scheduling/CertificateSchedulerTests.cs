using System.Collections.Concurrent;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Testing;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class CertificateSchedulerTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeGate _gate = new();
    private readonly LogRecorder _log = new();
    private readonly CertificateScheduler _scheduler;
    private readonly ConcurrentQueue<string> _worked = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public CertificateSchedulerTests()
        => _scheduler = new CertificateScheduler(_gate, new IssuanceSettings(), _time, _log.For<CertificateScheduler>());

    [Fact]
    public async Task Run_SeveralDue_WorksInOrderOfTime()
    {
        Schedule("late", _time.GetUtcNow().AddSeconds(-1));
        Schedule("later", _time.GetUtcNow());
        Schedule("earliest", _time.GetUtcNow().AddSeconds(-9));
        Start(limit: 1);

        await Worked(3);
        Assert.Equal(["earliest", "late", "later"], _worked);
    }

    [Fact]
    public async Task Run_DueInTheFuture_WaitsForItsTime()
    {
        Schedule("a", _time.GetUtcNow().AddHours(1));
        Start();
        await _time.WhenWaitingAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Empty(_worked);

        for (var minute = 0; minute < 60; minute++)
        {
            await _time.WhenWaitingAsync(cancellationToken: TestContext.Current.CancellationToken);
            Assert.Empty(_worked);
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        await Worked(1);
    }

    [Fact]
    public async Task Schedule_Earlier_WakesTheLoop()
    {
        Schedule("a", _time.GetUtcNow().AddDays(1));
        Start();
        await _time.WhenWaitingAsync(cancellationToken: TestContext.Current.CancellationToken);

        Schedule("a", _time.GetUtcNow());

        await Worked(1);
    }

    [Fact]
    public async Task Run_JobEndsJustAfterASleep_TheNextOneFollows()
    {
        Start(limit: 1);
        for (var i = 1; i <= 100; i++)
        {
            await _time.WhenWaitingAsync(cancellationToken: TestContext.Current.CancellationToken);
            Schedule("first", _time.GetUtcNow().AddSeconds(1));
            Schedule("second", _time.GetUtcNow().AddSeconds(1));
            await _time.WhenTimerDueWithinAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);

            // The sleep ends without a call. After that no time passes, and only the end of the first job wakes the loop for the second.
            _time.Advance(TimeSpan.FromSeconds(1));
            await Worked(2 * i);
        }
    }

    [Fact]
    public async Task Schedule_AfterTheClockJumpedPastTheSleep_WakesTheLoop()
    {
        Start();
        await _time.WhenWaitingAsync(cancellationToken: TestContext.Current.CancellationToken);
        _time.SetUtcNow(_time.GetUtcNow().AddDays(31));

        Schedule("a", _time.GetUtcNow());

        await Worked(1);
    }

    [Fact]
    public async Task Run_ClockJumpsForward_IsNoticedWithinAMinute()
    {
        Schedule("a", _time.GetUtcNow().AddDays(30));
        Start();
        await _time.WhenWaitingAsync(cancellationToken: TestContext.Current.CancellationToken);

        _time.SetUtcNow(_time.GetUtcNow().AddDays(31));
        _time.Advance(TimeSpan.FromMinutes(1));

        await Worked(1);
    }

    [Fact]
    public async Task Run_DueInAFractionOfAMillisecond_SleepsUntilThen()
    {
        Schedule("a", _time.GetUtcNow().AddMicroseconds(1500));
        Start();

        await _time.WhenWaitingAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(TimeSpan.FromMilliseconds(2), _time.NextTimerDue);
        _time.Advance(TimeSpan.FromMilliseconds(2));

        await Worked(1);
    }

    [Fact]
    public async Task Run_Limit_IsKept()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = 0;
        var most = 0;
        for (var i = 0; i < 20; i++)
        {
            Schedule($"c{i}", _time.GetUtcNow());
        }

        Start(limit: 3, async id =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await gate.Task;
            Interlocked.Decrement(ref running);
            _worked.Enqueue(id);
            return null;
        });
        await Poll.UntilAsync(
            () => Volatile.Read(ref running) == 3, "three works run", cancellationToken: TestContext.Current.CancellationToken);
        gate.SetResult();

        await Worked(20);
        Assert.Equal(3, most);
    }

    [Fact]
    public async Task Schedule_WhileItsWorkRuns_RunsAgainAfterIt()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var overlapping = 0;
        var most = 0;
        Schedule("a", _time.GetUtcNow());
        Start(limit: 4, async id =>
        {
            most = Math.Max(most, Interlocked.Increment(ref overlapping));
            await gate.Task;
            Interlocked.Decrement(ref overlapping);
            _worked.Enqueue(id);
            return null;
        });
        await Poll.UntilAsync(
            () => Volatile.Read(ref overlapping) == 1, "the work runs", cancellationToken: TestContext.Current.CancellationToken);

        Schedule("a", _time.GetUtcNow());
        gate.SetResult();

        await Worked(2);
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task Run_JobThrows_OthersContinue()
    {
        Schedule("bad", _time.GetUtcNow().AddSeconds(-1));
        Schedule("good", _time.GetUtcNow());
        Start(limit: 1, id =>
        {
            _worked.Enqueue(id);
            return id == "bad" ? throw new InvalidOperationException("a defect") : Task.FromResult<PlannedWork?>(null);
        });

        await Worked(2);
    }

    [Fact]
    public async Task Remove_Scheduled_IsNotWorkedOn()
    {
        Schedule("gone", _time.GetUtcNow());
        Schedule("there", _time.GetUtcNow().AddSeconds(1));
        _scheduler.Remove("gone");
        _time.Advance(TimeSpan.FromSeconds(1));
        Start();

        await Worked(1);
        Assert.Equal(["there"], _worked);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    [Fact]
    public async Task Run_SeveralDueAtOnce_TheMostUrgentGoesFirst()
    {
        var now = _time.GetUtcNow();
        _scheduler.Schedule("ends last", new PlannedWork(now.AddHours(-3), WorkLane.Renewals, now.AddDays(30)));
        _scheduler.Schedule("ends first", new PlannedWork(now.AddHours(-1), WorkLane.Renewals, now.AddDays(1)));
        _scheduler.Schedule("ends second", new PlannedWork(now.AddHours(-2), WorkLane.Renewals, now.AddDays(2)));
        Start(limit: 1);

        await Worked(3);
        Assert.Equal(["ends first", "ends second", "ends last"], _worked);
    }

    [Fact]
    public async Task Run_LaneHeldUpByItsRateLimit_OthersContinue()
    {
        var now = _time.GetUtcNow();
        _gate.NotBefore[WorkLane.NewOrders] = now.AddSeconds(45);
        _scheduler.Schedule("new", new PlannedWork(now, WorkLane.NewOrders, now));
        _scheduler.Schedule("renewal", new PlannedWork(now, WorkLane.Renewals, now));
        _scheduler.Schedule("poll", new PlannedWork(now, WorkLane.Maintenance, now));
        Start();

        await Worked(2);
        Assert.DoesNotContain("new", _worked);
        await _time.WhenTimerDueWithinAsync(TimeSpan.FromSeconds(45), TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(45));
        await Worked(3);
    }

    [Fact]
    public async Task Run_ManyThatFailedTheLastTime_HaveHalfOfTheSlots()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var now = _time.GetUtcNow();
        for (var i = 0; i < 8; i++)
        {
            _scheduler.Schedule($"hostile{i}", new PlannedWork(now, WorkLane.Renewals, now.AddDays(-90)) { IsFailing = true });
            _scheduler.Schedule($"new{i}", new PlannedWork(now, WorkLane.NewOrders, now.AddDays(-90)) { IsFailing = true });
        }

        Start(limit: 4, async id =>
        {
            _worked.Enqueue(id);
            await gate.Task;
            return null;
        });
        await Worked(2);
        for (var i = 0; i < 10; i++)
        {
            _scheduler.Schedule($"honest{i}", new PlannedWork(now, WorkLane.Renewals, now.AddDays(30)));
        }

        await Worked(4);
        Assert.Equal(2, _worked.Count(id => id.StartsWith("honest", StringComparison.Ordinal)));
        gate.SetResult();
        await Worked(26);
    }

    [Fact]
    public async Task Run_OneSlot_JobsThatFailedTheLastTimeGoLast()
    {
        var now = _time.GetUtcNow();
        _scheduler.Schedule("hostile", new PlannedWork(now, WorkLane.Renewals, now.AddDays(-90)) { IsFailing = true });
        _scheduler.Schedule("a", new PlannedWork(now, WorkLane.Renewals, now.AddDays(30)));
        _scheduler.Schedule("b", new PlannedWork(now, WorkLane.Renewals, now.AddDays(31)));
        Start(limit: 1);

        await Worked(3);
        Assert.Equal(["a", "b", "hostile"], _worked);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 4)]
    public async Task Run_NamesOnDemand_HaveSlotsOfTheirOwnUnlessThereIsOnlyOne(int limit, int running)
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var now = _time.GetUtcNow();
        for (var i = 0; i < 10; i++)
        {
            _scheduler.Schedule($"demand{i}", new PlannedWork(now, WorkLane.OnDemand, now));
            _scheduler.Schedule($"new{i}", new PlannedWork(now, WorkLane.NewOrders, now));
        }

        Start(limit, async id =>
        {
            _worked.Enqueue(id);
            await gate.Task;
            return null;
        });

        await Worked(running);
        Assert.Equal(running / 2, _worked.Count(id => id.StartsWith("demand", StringComparison.Ordinal)));
        gate.SetResult();
        await Worked(20);
    }

    [Fact]
    public async Task Run_SlowJobs_GiveTheirSlotsToOthersButNotToMoreThatFailed()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var now = _time.GetUtcNow();
        for (var i = 0; i < 30; i++)
        {
            _scheduler.Schedule($"slow{i}", new PlannedWork(now, WorkLane.Renewals, now.AddDays(30)));
            _scheduler.Schedule($"failed{i}", new PlannedWork(now, WorkLane.Renewals, now.AddDays(30)) { IsFailing = true });
        }

        Start(limit: 4, async id =>
        {
            _worked.Enqueue(id);
            await gate.Task;
            return null;
        });
        foreach (var running in new[] { 4, 8, 12, 16 })
        {
            await Worked(running);
            Assert.Equal(2, _worked.Count(id => id.StartsWith("failed", StringComparison.Ordinal)));
            await _time.WhenTimerDueWithinAsync(
                running < 16 ? TimeSpan.FromSeconds(10) : TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(16, _worked.Count);
        gate.SetResult();
        await Worked(60);
    }

    [Fact]
    public async Task Run_ExpiredWhileNothingRan_MayTakeAllFreeSlots()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var now = _time.GetUtcNow();
        for (var i = 0; i < 8; i++)
        {
            _scheduler.Schedule($"expired{i}", new PlannedWork(now, WorkLane.Renewals, now.AddDays(-1)));
        }

        Start(limit: 4, async id =>
        {
            _worked.Enqueue(id);
            await gate.Task;
            return null;
        });
        await Worked(4);
        gate.SetResult();
        await Worked(8);
    }

    [Fact]
    public async Task Run_WhatFailedTheLastTime_DoesNotWaitForAllOthers()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var now = _time.GetUtcNow();
        for (var i = 0; i < 20; i++)
        {
            _scheduler.Schedule($"honest{i}", new PlannedWork(now, WorkLane.Renewals, now.AddDays(i + 1)));
        }

        _scheduler.Schedule("repaired", new PlannedWork(now, WorkLane.Renewals, now.AddDays(99)) { IsFailing = true });
        Start(limit: 4, async id =>
        {
            _worked.Enqueue(id);
            await gate.Task;
            return null;
        });

        await Worked(4);
        Assert.Contains("repaired", _worked);
        gate.SetResult();
        await Worked(21);
    }

    [Fact]
    public async Task Run_RenewalsWaitForASlot_LogsWhatTakesTheSlots()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Schedule("slow", _time.GetUtcNow());
        Start(limit: 1, async id =>
        {
            _worked.Enqueue(id);
            await gate.Task;
            return null;
        });
        await Worked(1);
        Schedule("starved", _time.GetUtcNow());

        await Poll.UntilAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(30));
                return _log.Has("RenewalsStarve");
            },
            "the warning",
            cancellationToken: TestContext.Current.CancellationToken);
        var line = Assert.Single(_log.Lines, l => l.Event.Name == "RenewalsStarve");
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains("starved since", line.Message, StringComparison.Ordinal);
        Assert.Contains("taken by: slow since", line.Message, StringComparison.Ordinal);
        gate.SetResult();
        await Worked(2);
    }

    private void Schedule(string id, DateTimeOffset due)
        => _scheduler.Schedule(id, new PlannedWork(due, WorkLane.Renewals, due.AddDays(30)));

    private void Start(int limit = 4, Func<string, Task<PlannedWork?>>? work = null)
    {
        _gate.Limit = limit;
        _running = _scheduler.RunAsync(
            work is not null ? (id, _) => work(id) : (id, _) =>
            {
                _worked.Enqueue(id);
                return Task.FromResult<PlannedWork?>(null);
            },
            () => { },
            _stop.Token);
    }

    private Task Worked(int count)
        => Poll.UntilAsync(
            () => _worked.Count == count, $"{count} works were done", cancellationToken: TestContext.Current.CancellationToken);
}
