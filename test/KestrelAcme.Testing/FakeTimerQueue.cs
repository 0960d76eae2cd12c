namespace KestrelAcme.Testing;

/// <summary>The armed timers of a <see cref="FakeTimeProvider"/>, in due order, and who waits for some to be armed. The provider's lock guards it.</summary>
internal sealed class FakeTimerQueue
{
    private readonly PriorityQueue<FakeTimer, (long Due, long Armed)> _queue = new();
    private readonly HashSet<FakeTimer> _armed = [];
    private readonly List<(Func<bool> Condition, TaskCompletionSource Source)> _waiters = [];
    private long _changes;

    public int Count => _armed.Count;

    public long? NextDue => _armed.Count == 0 ? null : _armed.Min(timer => timer.Due);

    /// <summary>Grows with every change; may be read without the lock.</summary>
    public long Changes => Interlocked.Read(ref _changes);

    /// <summary>Arms a timer for <paramref name="due"/>, or disarms it.</summary>
    public void Set(FakeTimer timer, long? due)
    {
        timer.Arming = Interlocked.Increment(ref _changes);
        if (due is { } at)
        {
            timer.Due = at;
            _armed.Add(timer);
            _queue.Enqueue(timer, (at, timer.Arming));
        }
        else
        {
            _armed.Remove(timer);
        }

        Wake();
    }

    /// <summary>Looks again whether a condition holds: the clock, too, can make it so.</summary>
    public void Wake() => _waiters.RemoveAll(waiter => waiter.Condition() && waiter.Source.TrySetResult());

    /// <summary>Takes the first timer due at <paramref name="limit"/> or before, and arms a periodic one anew.</summary>
    public FakeTimer? Take(long limit, out long due)
    {
        while (_queue.TryPeek(out var timer, out var key) && key.Due <= limit)
        {
            _queue.Dequeue();
            if (timer.Arming == key.Armed && _armed.Contains(timer))
            {
                due = key.Due;
                Set(timer, timer.Period > 0 ? key.Due + timer.Period : null);
                return timer;
            }

            // Changed or disposed since: a later entry stands for it, or none.
        }

        due = 0;
        return null;
    }

    /// <summary>Completes when <paramref name="condition"/> holds after a change, or at once when it holds already.</summary>
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
}
