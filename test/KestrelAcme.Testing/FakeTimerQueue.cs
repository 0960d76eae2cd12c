namespace KestrelAcme.Testing;

/// <summary>
/// The armed timers of a <see cref="FakeTimeProvider"/> in due order, and the waiters for timers to be armed. Guarded by the provider's
/// lock.
/// </summary>
internal sealed class FakeTimerQueue
{
    private readonly PriorityQueue<FakeTimer, (long Due, long Armed)> _queue = new();
    private readonly List<(Func<bool> Condition, TaskCompletionSource Source)> _waiters = [];
    private long _changes;

    public int Count { get; private set; }

    public long? NextDue
    {
        get
        {
            DropOutdated();
            return _queue.TryPeek(out _, out var key) ? key.Due : null;
        }
    }

    /// <summary>Grows with every change; may be read without the lock.</summary>
    public long Changes => Interlocked.Read(ref _changes);

    /// <summary>Arms a timer for <paramref name="due"/>, or disarms it.</summary>
    public void Set(FakeTimer timer, long? due)
    {
        timer.Arming = Interlocked.Increment(ref _changes);
        Count += (due is null ? 0 : 1) - (timer.Armed ? 1 : 0);
        timer.Armed = due is not null;
        if (due is { } at)
        {
            _queue.Enqueue(timer, (at, timer.Arming));
        }

        Wake();
    }

    /// <summary>Checks the conditions again, because the clock can satisfy them, too.</summary>
    public void Wake() => _waiters.RemoveAll(waiter => waiter.Condition() && waiter.Source.TrySetResult());

    /// <summary>Takes the first timer due at <paramref name="limit"/> or before, and rearms a periodic one.</summary>
    public FakeTimer? Take(long limit, out long due)
    {
        DropOutdated();
        if (_queue.TryPeek(out var timer, out var key) && key.Due <= limit)
        {
            _queue.Dequeue();
            due = key.Due;
            Set(timer, timer.Period > 0 ? key.Due + timer.Period : null);
            return timer;
        }

        due = 0;
        return null;
    }

    /// <summary>Completes once <paramref name="condition"/> is true after a change, or at once if it already is.</summary>
    public Task WhenAsync(Func<bool> condition)
    {
        if (condition())
        {
            return Task.CompletedTask;
        }

        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiters.Add((condition, source));
        return source.Task;
    }

    // Changed or disposed since they were armed: a later entry replaces them, or none does.
    private void DropOutdated()
    {
        while (_queue.TryPeek(out var timer, out var key) && (!timer.Armed || timer.Arming != key.Armed))
        {
            _queue.Dequeue();
        }
    }
}
