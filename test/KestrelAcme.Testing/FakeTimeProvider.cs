namespace KestrelAcme.Testing;

/// <summary>
/// A clock that moves only when a test moves it. Timers use the monotonic clock, as real ones do: <see cref="Advance"/> moves both clocks
/// and fires due timers in order; <see cref="SetUtcNow"/> sets only the wall clock, in either direction, and fires none. Thread-safe.
/// Callbacks run on the thread that advances the clock, outside of any lock.
/// </summary>
/// <remarks>
/// The one of Microsoft.Extensions.TimeProvider.Testing has a single clock, which cannot go back and whose steps fire timers, and it does
/// not tell what is armed. These tests step the wall clock in both directions, wait until the code under test waits
/// (<see cref="WhenWaitingAsync"/>), and jump from timer to timer.
/// </remarks>
public sealed class FakeTimeProvider : TimeProvider
{
    private static readonly TimeSpan RealDeadline = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly FakeTimerQueue _timers = new();
    private long _elapsed;
    private long _target;
    private DateTimeOffset _origin;

    /// <summary>A clock that starts at 2026-11-21 12:00 UTC.</summary>
    public FakeTimeProvider() : this(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero))
    {
    }

    /// <summary>A clock that starts at <paramref name="start"/>.</summary>
    public FakeTimeProvider(DateTimeOffset start) => _origin = start.ToUniversalTime();

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>The number of armed timers, that is, of waits in the code under test.</summary>
    public int ArmedTimers
    {
        get
        {
            lock (_gate)
            {
                return _timers.Count;
            }
        }
    }

    /// <summary>The time until the next timer is due, or null if none is armed.</summary>
    public TimeSpan? NextTimerDue
    {
        get
        {
            lock (_gate)
            {
                return _timers.NextDue is { } due ? TimeSpan.FromTicks(Math.Max(0, due - _elapsed)) : null;
            }
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _origin.AddTicks(_elapsed);
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _elapsed;
        }
    }

    /// <summary>
    /// Sets the wall clock to <paramref name="now"/>, forward or backward, as an operator or NTP would. Timers and timestamps are not
    /// affected.
    /// </summary>
    public void SetUtcNow(DateTimeOffset now)
    {
        lock (_gate)
        {
            _origin = now.ToUniversalTime().AddTicks(-_elapsed);
        }
    }

    /// <summary>
    /// Advances both clocks by <paramref name="delta"/>. Each timer fires when it is due, periodic ones as often as they are due.
    /// </summary>
    public void Advance(TimeSpan delta)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delta, TimeSpan.Zero);
        long target;
        lock (_gate)
        {
            // If two threads advance the clock at once, their times add up.
            target = _target = Math.Max(_target, _elapsed) + delta.Ticks;
        }

        FireUntil(target);
    }

    /// <summary>Jumps to the next armed timer and fires it. Returns false if none is armed.</summary>
    public bool AdvanceToNextTimer()
    {
        if (NextTimerDue is not { } due)
        {
            return false;
        }

        Advance(due);
        return true;
    }

    /// <summary>Waits (in real time) until a timer is armed, then jumps to it.</summary>
    /// <returns>How far the clock jumped.</returns>
    public async Task<TimeSpan> AdvanceToNextTimerAsync(CancellationToken cancellationToken = default)
    {
        await WhenWaitingAsync(1, cancellationToken);
        var before = GetTimestamp();
        AdvanceToNextTimer();
        return GetElapsedTime(before);
    }

    /// <summary>
    /// Completes once at least <paramref name="timers"/> timers are armed, that is, once the code under test waits. Fails after
    /// 60 s of real
    /// time.
    /// </summary>
    public Task WhenWaitingAsync(int timers = 1, CancellationToken cancellationToken = default) =>
        WhenAsync(() => _timers.Count >= timers, $"{timers} armed timer(s)", cancellationToken);

    /// <summary>
    /// Completes once a timer is armed that is due within <paramref name="span"/> from now. Fails after 60 s of real time.
    /// </summary>
    public Task WhenTimerDueWithinAsync(TimeSpan span, CancellationToken cancellationToken = default) =>
        WhenAsync(() => _timers.NextDue - _elapsed <= span.Ticks, $"a timer due within {span}", cancellationToken);

    /// <summary>
    /// Jumps from timer to timer until <paramref name="task"/> is complete, and returns its outcome. A jump happens only if the
    /// set of timers
    /// has not changed for <paramref name="quiet"/> of real time, so that code between two waits can run.
    /// </summary>
    /// <param name="task">The task to wait for.</param>
    /// <param name="limit">The maximum fake time to pass.</param>
    /// <param name="quiet">Real time without a change before a jump.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public async Task RunUntilCompleteAsync(
        Task task, TimeSpan limit, TimeSpan? quiet = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(task);
        var start = GetTimestamp();
        var realStart = System.GetTimestamp();
        while (!task.IsCompleted)
        {
            var changes = _timers.Changes;
            await WaitAsync(task, quiet ?? TimeSpan.FromMilliseconds(20), cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            if (task.IsCompleted || changes != _timers.Changes)
            {
                continue;
            }

            if (AdvanceToNextTimer())
            {
                realStart = System.GetTimestamp();
            }

            if (GetElapsedTime(start) > limit || System.GetElapsedTime(realStart) > RealDeadline)
            {
                throw new TimeoutException(
                    $"The task is not complete after {GetElapsedTime(start)} of fake time (limit {limit}); "
                    + $"{ArmedTimers} timer(s) are armed.");
            }
        }

        await task;
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    internal bool Arm(FakeTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        FakeTimer.Check(dueTime, nameof(dueTime));
        FakeTimer.Check(period, nameof(period));
        lock (_gate)
        {
            if (timer.Disposed)
            {
                return false;
            }

            // A timer that fires at once counts its period from now, and a zero period means once, as with real timers.
            timer.Period = period > TimeSpan.Zero ? period.Ticks : 0;
            _timers.Set(timer, dueTime == Timeout.InfiniteTimeSpan ? null : _elapsed + dueTime.Ticks);
        }

        if (dueTime == TimeSpan.Zero)
        {
            // Never run inside the caller, which may hold a lock that the callback needs.
            ThreadPool.UnsafeQueueUserWorkItem(static provider => provider.FireUntil(provider.GetTimestamp()), this, preferLocal: false);
        }

        return true;
    }

    internal void Disarm(FakeTimer timer)
    {
        lock (_gate)
        {
            timer.Disposed = true;
            _timers.Set(timer, null);
        }
    }

    // A pause that ends late shows a busy machine, on which the code between two waits takes longer, too.
    private static async Task WaitAsync(Task task, TimeSpan pause, CancellationToken cancellationToken)
    {
        var start = System.GetTimestamp();
        await Task.WhenAny(task, Task.Delay(pause, System, cancellationToken));
        var late = System.GetElapsedTime(start) - pause;
        if (late > pause / 2)
        {
            await Task.WhenAny(task, Task.Delay(3 * late, System, cancellationToken));
        }
    }

    private void FireUntil(long target)
    {
        while (TakeDue(target) is { } timer)
        {
            timer.Fire();
        }
    }

    private FakeTimer? TakeDue(long target)
    {
        lock (_gate)
        {
            var timer = _timers.Take(target, out var due);
            _elapsed = Math.Max(_elapsed, timer is null ? target : due);
            _timers.Wake();
            return timer;
        }
    }

    private async Task WhenAsync(Func<bool> condition, string what, CancellationToken cancellationToken)
    {
        Task met;
        lock (_gate)
        {
            met = _timers.WhenAsync(condition);
        }

        try
        {
            await met.WaitAsync(RealDeadline, System, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException(
                $"Waited {RealDeadline.TotalSeconds:0} s of real time for {what}; {ArmedTimers} armed, "
                + $"the next due in {NextTimerDue?.ToString() ?? "never"}.");
        }
    }
}
