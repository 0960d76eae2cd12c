namespace KestrelAcme.Storage;

/// <summary>The holder's own clock of a lease: tells when it must be taken for lost.</summary>
internal sealed class LeaseExpiry : IDisposable
{
    private readonly TimeProvider _time;
    private readonly TimeSpan _duration;
    private readonly Lock _gate = new();
    // Never disposed: Lost stays usable after the lease has gone.
    private readonly CancellationTokenSource _lost = new();
    private readonly ITimer _timer;
    private long _since;
    private bool _ended;

    /// <param name="time">The clock.</param>
    /// <param name="duration">How long the lease lasts.</param>
    /// <param name="since">A timestamp from before the store was asked: the holder must never believe longer than the store does.</param>
    public LeaseExpiry(TimeProvider time, TimeSpan duration, long since)
    {
        _time = time;
        _duration = duration;
        _since = since;
        _timer = time.CreateTimer(static state => ((LeaseExpiry)state!).OnDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Arm();
    }

    public CancellationToken Lost => _lost.Token;

    /// <summary>Whether the lease was given back, lost or has run out.</summary>
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

    /// <summary>Counts the duration anew. Does nothing once the lease is over.</summary>
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

    /// <summary>The lease has ended without being given back.</summary>
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
        // Not Cancel: what a callback of the holder throws must not end on the timer's thread.
        _ = _lost.CancelAsync();
    }

    /// <summary>The lease was given back: nothing is lost any more.</summary>
    /// <returns><see langword="false"/> when it had ended before.</returns>
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

            // The lease was extended while this call was on its way, or the timer came early.
            if (Remaining() > TimeSpan.Zero)
            {
                Arm();
                return;
            }
        }

        Lose();
    }
}
