namespace KestrelAcme.Diagnostics;

/// <summary>
/// Cancels its token after a time. Unlike a plain <see cref="CancellationTokenSource"/>, it ignores exceptions of the token's callbacks.
/// These may belong to the app (a domain source, a storage, a provider, a handler), and an exception on the timer's thread would end the
/// process.
/// </summary>
internal sealed class TimeLimit : CancellationTokenSource
{
    private readonly ITimer? _timer;

    /// <summary>Starts the timer.</summary>
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

/// <summary>Cancels without throwing the exceptions of the token's callbacks.</summary>
internal static class CancellationTokenSourceExtensions
{
    /// <summary>Cancels the token. All callbacks run; their exceptions are ignored.</summary>
    public static void CancelQuietly(this CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (Exception exception) when (exception is AggregateException or ObjectDisposedException)
        {
            // A callback failed, or the time ended at the moment when the work was done.
        }
    }

    /// <summary>Cancels the token. All callbacks run on another thread; their exceptions are ignored.</summary>
    public static async Task CancelQuietlyAsync(this CancellationTokenSource source)
        => await source.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
