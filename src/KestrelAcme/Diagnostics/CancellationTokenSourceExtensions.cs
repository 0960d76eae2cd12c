namespace KestrelAcme.Diagnostics;

/// <summary>Cancellation that never fails for what a callback of the token throws.</summary>
internal static class CancellationTokenSourceExtensions
{
    /// <summary>Cancels; what callbacks throw is theirs, and all of them are called.</summary>
    public static void CancelQuietly(this CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (Exception exception) when (exception is AggregateException or ObjectDisposedException)
        {
            // A callback failed, or the time was over just as the work was done.
        }
    }

    /// <summary>Cancels; what callbacks throw is theirs, and all of them are called, on another thread.</summary>
    public static async Task CancelQuietlyAsync(this CancellationTokenSource source)
        => await source.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
