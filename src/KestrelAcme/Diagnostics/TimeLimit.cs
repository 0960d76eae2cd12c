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

/// <summary>Waits for work that may ignore its token, such as the resolver of the operating system once it has begun.</summary>
internal static class AbandonedWork
{
    /// <summary>Waits until the token is canceled. If the work fails after that, its exception is ignored.</summary>
    public static Task<T> WaitOrAbandonAsync<T>(this Task<T> work, CancellationToken cancellationToken)
    {
        _ = work.ContinueWith(
            static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return work.WaitAsync(cancellationToken);
    }
}
