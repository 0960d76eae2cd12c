using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Certificates.Domains;

/// <summary>
/// Starts a reconciliation when names change: in the store by another instance, or in the domain sources of the application.
/// </summary>
internal sealed class DomainWatcher(WantedCertificates wanted, BoundedStorage storage, TimeProvider time, ILogger<DomainWatcher> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SourceInterval = TimeSpan.FromMinutes(10);

    public Task RunAsync(Func<Task> reconcile, CancellationToken stopping)
        => Task.WhenAll(
        [
            FollowStoreAsync(reconcile, stopping),
            AskSourcesAsync(reconcile, stopping),
            .. wanted.Sources.Select(s => Task.Run(() => FollowSourceAsync(s, reconcile, stopping), CancellationToken.None)),
        ]);

    /// <summary>
    /// Watches the change token of a source. A loop, not a callback that asks for the next token: a source that signals before it has
    /// created the next token returns the one that has fired, and the callback would recurse until the stack overflows.
    /// </summary>
    private async Task FollowSourceAsync(IDomainSource source, Func<Task> reconcile, CancellationToken stopping)
    {
        try
        {
            var token = source.GetChangeToken();
            while (token is not null && !stopping.IsCancellationRequested)
            {
                await FiredAsync(token, stopping);

                // The next token first, so that no change is missed while the names are read.
                token = source.GetChangeToken();
                var isSpent = token is { HasChanged: true };
                await reconcile();
                if (isSpent)
                {
                    await Task.Delay(Pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
        catch (Exception exception)
        {
            // Without change tokens, the source is still asked every ten minutes.
            logger.DomainSourceNotFollowed(source.GetType().Name, exception);
        }
    }

    private static async Task FiredAsync(IChangeToken token, CancellationToken stopping)
    {
        var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = token.RegisterChangeCallback(static state => ((TaskCompletionSource)state!).TrySetResult(), fired);
        await fired.Task.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private Task FollowStoreAsync(Func<Task> reconcile, CancellationToken stopping) => BackgroundLoop.RunAsync(
        async token =>
        {
            await foreach (var _ in storage.WatchAsync(StorageLayout.DomainsPrefix, token))
            {
                await reconcile();
            }
        },
        first: TimeSpan.Zero,
        Pause,
        time,
        exception => logger.FollowingFailed(exception.Message),
        stopping);

    private async Task AskSourcesAsync(Func<Task> reconcile, CancellationToken stopping)
    {
        // The first time at once, because startup used only the last known results.
        while (wanted.Sources.Any() && !stopping.IsCancellationRequested)
        {
            await reconcile();
            await Task.Delay(SourceInterval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
