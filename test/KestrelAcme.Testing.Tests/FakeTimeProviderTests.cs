using Xunit;

namespace KestrelAcme.Testing.Tests;

public sealed class FakeTimeProviderTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _time = new(Start);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Advance_TimersDue_FireInDueOrderAtTheirOwnTime()
    {
        List<(string Name, DateTimeOffset At)> fired = [];
        using var late = _time.CreateTimer(
            _ => fired.Add(("late", _time.GetUtcNow())), null, TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);
        using var early = _time.CreateTimer(
            _ => fired.Add(("early", _time.GetUtcNow())), null, TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan);
        using var never = _time.CreateTimer(
            _ => fired.Add(("never", _time.GetUtcNow())), null, TimeSpan.FromSeconds(11), Timeout.InfiniteTimeSpan);

        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal([("early", Start.AddSeconds(2)), ("late", Start.AddSeconds(5))], fired);
        Assert.Equal(Start.AddSeconds(10), _time.GetUtcNow());
        Assert.Equal(TimeSpan.FromSeconds(1), _time.NextTimerDue);
    }

    [Fact]
    public void Advance_PeriodicTimer_FiresOncePerPeriodUntilDisposed()
    {
        var fired = 0;
        var timer = _time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));

        _time.Advance(TimeSpan.FromSeconds(10));
        timer.Dispose();
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(4, fired);
        Assert.Equal(0, _time.ArmedTimers);
        Assert.False(timer.Change(TimeSpan.Zero, TimeSpan.Zero));
    }

    [Fact]
    public void Advance_TimerChangedByACallback_UsesTheNewDueTime()
    {
        List<DateTimeOffset> fired = [];
        ITimer? timer = null;
        timer = _time.CreateTimer(_ =>
        {
            fired.Add(_time.GetUtcNow());
            timer!.Change(TimeSpan.FromSeconds(4), Timeout.InfiniteTimeSpan);
        }, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        _time.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal([Start.AddSeconds(1), Start.AddSeconds(5)], fired);
    }

    [Fact]
    public void SetUtcNow_Backwards_MovesTheWallClockAlone()
    {
        var fired = false;
        using var timer = _time.CreateTimer(_ => fired = true, null, TimeSpan.FromSeconds(10), Timeout.InfiniteTimeSpan);
        var before = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromSeconds(4));

        _time.SetUtcNow(Start.AddDays(-1));

        Assert.Equal(Start.AddDays(-1), _time.GetUtcNow());
        Assert.Equal(TimeSpan.FromSeconds(4), _time.GetElapsedTime(before));
        Assert.Equal(TimeSpan.FromSeconds(6), _time.NextTimerDue);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.True(fired);
        Assert.Equal(Start.AddDays(-1).AddSeconds(6), _time.GetUtcNow());
    }

    [Fact]
    public async Task CreateTimer_DueAtOnce_FiresOutsideOfTheCaller()
    {
        var fired = new TaskCompletionSource();
        var gate = new Lock();
        ITimer timer;
        lock (gate)
        {
            timer = _time.CreateTimer(_ =>
            {
                lock (gate)
                {
                    fired.SetResult();
                }
            }, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            Assert.False(fired.Task.IsCompleted);
        }

        await fired.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancellation);
        timer.Dispose();
    }

    [Fact]
    public async Task WhenWaitingAsync_CodeUnderTestDelays_CompletesOnceItWaits()
    {
        var waiting = _time.WhenWaitingAsync(cancellationToken: Cancellation);
        Assert.False(waiting.IsCompleted);

        var delay = Task.Delay(TimeSpan.FromHours(1), _time, Cancellation);

        await waiting;
        Assert.False(delay.IsCompleted);
        Assert.Equal(TimeSpan.FromHours(1), await _time.AdvanceToNextTimerAsync(Cancellation));
        await delay;
    }

    [Fact]
    public async Task CancellationTokenSource_Timeout_IsCancelledByAdvance()
    {
        using var source = new CancellationTokenSource(TimeSpan.FromMinutes(1), _time);
        await _time.WhenTimerDueWithinAsync(TimeSpan.FromMinutes(1), Cancellation);

        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(source.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(source.IsCancellationRequested);
    }

    [Fact]
    public async Task Advance_FromTwoThreads_AddsUp()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => _time.Advance(TimeSpan.FromHours(1)), Cancellation)));

        Assert.Equal(Start.AddHours(8), _time.GetUtcNow());
    }

    [Fact]
    public async Task RunUntilCompleteAsync_ManyWaits_JumpsThroughThem()
    {
        async Task WorkAsync()
        {
            for (var i = 0; i < 10; i++)
            {
                await Task.Delay(TimeSpan.FromHours(1), _time, Cancellation);
            }
        }

        await _time.RunUntilCompleteAsync(WorkAsync(), TimeSpan.FromDays(1), cancellationToken: Cancellation);

        Assert.Equal(Start.AddHours(10), _time.GetUtcNow());
    }

    [Fact]
    public async Task RunUntilCompleteAsync_LimitPassed_Throws()
    {
        var endless = Task.Delay(TimeSpan.FromDays(3), _time, Cancellation);
        using var timer = _time.CreateTimer(_ => { }, null, TimeSpan.FromHours(1), TimeSpan.FromHours(1));

        await Assert.ThrowsAsync<TimeoutException>(() =>
            _time.RunUntilCompleteAsync(endless, TimeSpan.FromHours(5), TimeSpan.FromMilliseconds(1), Cancellation));
    }
}
