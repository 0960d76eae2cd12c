namespace KestrelAcme.Storage;

/// <summary>The holder's own clock for a lease. Decides when the holder must assume that the lease is lost.</summary>
internal sealed class LeaseExpiry : IDisposable
{
    private readonly TimeProvider _time;
    private readonly TimeSpan _duration;
    private readonly Lock _gate = new();
    // Never disposed: Lost remains usable after the lease has ended.
    private readonly CancellationTokenSource _lost = new();
    private readonly ITimer _timer;
    private long _since;
    private bool _ended;

    /// <param name="time">The clock.</param>
    /// <param name="duration">How long the lease lasts.</param>
    /// <param name="since">
    /// A timestamp from before the store was called, so that the holder never assumes a later expiry than the store does.
    /// </param>
    public LeaseExpiry(TimeProvider time, TimeSpan duration, long since)
    {
        _time = time;
        _duration = duration;
        _since = since;
        _timer = time.CreateTimer(static state => ((LeaseExpiry)state!).OnDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Arm();
    }

    public CancellationToken Lost => _lost.Token;

    /// <summary>Whether the lease was released, was lost or has expired.</summary>
    public bool IsOver
    {
        get
        {
            lock (_gate)
            {
                return _ended || Remaining() <= TimeSpan.Zero;
            }
        }
    }

    /// <summary>Restarts the duration. Returns <see langword="false"/> if the lease has ended.</summary>
    public bool TryExtend(long since)
    {
        lock (_gate)
        {
            if (_ended)
            {
                return false;
            }

            _since = since;
            Arm();
            return true;
        }
    }

    /// <summary>Marks the lease as ended without being released.</summary>
    public void Lose()
    {
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            _ended = true;
        }

        _timer.Dispose();
        // Not Cancel: an exception from one of the holder's callbacks must not be thrown on the timer's thread.
        _ = _lost.CancelAsync();
    }

    /// <summary>Marks the lease as released, so that it can no longer be lost.</summary>
    /// <returns><see langword="false"/> if it had already ended.</returns>
    public bool TryEnd()
    {
        lock (_gate)
        {
            if (_ended)
            {
                return false;
            }

            _ended = true;
        }

        _timer.Dispose();
        return true;
    }

    public void Dispose() => TryEnd();

    private TimeSpan Remaining() => _duration - _time.GetElapsedTime(_since);

    private void Arm()
    {
        var remaining = Remaining();
        _timer.Change(remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void OnDue()
    {
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            // The lease was extended in the meantime, or the timer fired early.
            if (Remaining() > TimeSpan.Zero)
            {
                Arm();
                return;
            }
        }

        Lose();
    }
}
