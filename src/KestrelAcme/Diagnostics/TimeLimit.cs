namespace KestrelAcme.Diagnostics;

/// <summary>
/// Cancels its token when a time is over. Unlike a plain <see cref="CancellationTokenSource"/>, it survives what callbacks of the token throw: they may be the application's
/// (a domain source, a storage, a provider, a handler), and an exception on the timer's thread would end the process.
/// </summary>
internal sealed class TimeLimit : CancellationTokenSource
{
    private readonly ITimer? _timer;

    /// <summary>Starts the time.</summary>
    public TimeLimit(TimeSpan limit, TimeProvider time)
    {
        if (limit == TimeSpan.Zero)
        {
            Cancel();
            return;
        }

        _timer = time.CreateTimer(static state => ((TimeLimit)state!).CancelQuietly(), this, limit, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _timer?.Dispose();
        base.Dispose(disposing);
    }
}
