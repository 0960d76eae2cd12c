using System.Collections.Concurrent;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class CertificateSchedulerTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly CertificateScheduler _scheduler;
    private readonly ConcurrentQueue<string> _worked = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public CertificateSchedulerTests() => _scheduler = new CertificateScheduler(_time, NullLogger<CertificateScheduler>.Instance);

    [Fact]
    public async Task Run_SeveralDue_WorksInOrderOfTime()
    {
        _scheduler.Schedule("late", _time.GetUtcNow().AddSeconds(-1));
        _scheduler.Schedule("later", _time.GetUtcNow());
        _scheduler.Schedule("earliest", _time.GetUtcNow().AddSeconds(-9));
        Start(limit: 1);

        await Worked(3);
        Assert.Equal(["earliest", "late", "later"], _worked);
    }

    [Fact]
    public async Task Run_DueInTheFuture_WaitsForItsTime()
    {
        _scheduler.Schedule("a", _time.GetUtcNow().AddHours(1));
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
        _scheduler.Schedule("a", _time.GetUtcNow().AddDays(1));
        Start();
        await _time.WhenWaitingAsync(cancellationToken: TestContext.Current.CancellationToken);

        _scheduler.Schedule("a", _time.GetUtcNow());

        await Worked(1);
    }

    [Fact]
    public async Task Run_ClockJumpsForward_IsNoticedWithinAMinute()
    {
        _scheduler.Schedule("a", _time.GetUtcNow().AddDays(30));
        Start();
        await _time.WhenWaitingAsync(cancellationToken: TestContext.Current.CancellationToken);

        _time.SetUtcNow(_time.GetUtcNow().AddDays(31));
        _time.Advance(TimeSpan.FromMinutes(1));

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
            _scheduler.Schedule($"c{i}", _time.GetUtcNow());
        }

        Start(limit: 3, async id =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await gate.Task;
            Interlocked.Decrement(ref running);
            _worked.Enqueue(id);
            return null;
        });
        await Poll.UntilAsync(() => Volatile.Read(ref running) == 3, "three works run", cancellationToken: TestContext.Current.CancellationToken);
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
        _scheduler.Schedule("a", _time.GetUtcNow());
        Start(limit: 4, async id =>
        {
            most = Math.Max(most, Interlocked.Increment(ref overlapping));
            await gate.Task;
            Interlocked.Decrement(ref overlapping);
            _worked.Enqueue(id);
            return null;
        });
        await Poll.UntilAsync(() => Volatile.Read(ref overlapping) == 1, "the work runs", cancellationToken: TestContext.Current.CancellationToken);

        _scheduler.Schedule("a", _time.GetUtcNow());
        gate.SetResult();

        await Worked(2);
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task Run_WorkThrows_OthersGoOn()
    {
        _scheduler.Schedule("bad", _time.GetUtcNow().AddSeconds(-1));
        _scheduler.Schedule("good", _time.GetUtcNow());
        Start(limit: 1, id =>
        {
            _worked.Enqueue(id);
            return id == "bad" ? throw new InvalidOperationException("a defect") : Task.FromResult<DateTimeOffset?>(null);
        });

        await Worked(2);
    }

    [Fact]
    public async Task Remove_Scheduled_IsNotWorkedOn()
    {
        _scheduler.Schedule("gone", _time.GetUtcNow());
        _scheduler.Schedule("there", _time.GetUtcNow().AddSeconds(1));
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

    private void Start(int limit = 4, Func<string, Task<DateTimeOffset?>>? work = null)
        => _running = _scheduler.RunAsync(
            work ?? (id =>
            {
                _worked.Enqueue(id);
                return Task.FromResult<DateTimeOffset?>(null);
            }),
            () => limit,
            _stop.Token);

    private Task Worked(int count)
        => Poll.UntilAsync(() => _worked.Count == count, $"{count} works were done", cancellationToken: TestContext.Current.CancellationToken);
}
