namespace KestrelAcme.Diagnostics;

/// <summary>Repeats an action until the host stops. Exceptions are reported, and the next round tries again.</summary>
internal static class BackgroundLoop
{
    /// <param name="round">The action.</param>
    /// <param name="first">The pause before the first round.</param>
    /// <param name="pause">The pause after each round.</param>
    /// <param name="time">The clock.</param>
    /// <param name="failed">Called with the exception of a failed round.</param>
    /// <param name="stopping">Ends the loop, which then completes without an exception.</param>
    public static async Task RunAsync(
        Func<CancellationToken, Task> round,
        TimeSpan first,
        TimeSpan pause,
        TimeProvider time,
        Action<Exception> failed,
        CancellationToken stopping)
    {
        for (var wait = first; !stopping.IsCancellationRequested; wait = pause)
        {
            await Task.Delay(wait, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                stopping.ThrowIfCancellationRequested();
                await round(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                failed(exception);
            }
        }
    }
}
