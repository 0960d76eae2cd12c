using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Certificates.Domains;

/// <summary>Has the wanted certificates gathered again when names come or go: in the store, by another instance, or in the application's sources.</summary>
internal sealed class DomainWatcher(WantedCertificates wanted, IAcmeStorage storage, TimeProvider time, ILogger<DomainWatcher> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SourceInterval = TimeSpan.FromMinutes(10);

    public async Task RunAsync(Func<Task> reconcile, CancellationToken stopping)
    {
        var changes = new List<IDisposable>();
        try
        {
            changes.AddRange(wanted.Sources.Select(s => ChangeToken.OnChange(() => TokenOf(s), () => _ = reconcile())));
            await Task.WhenAll(FollowStoreAsync(reconcile, stopping), AskSourcesAsync(reconcile, stopping));
        }
        finally
        {
            changes.ForEach(c => c.Dispose());
        }
    }

    // Without its notices a source is still asked every ten minutes.
    private IChangeToken? TokenOf(IDomainSource source)
    {
        try
        {
            return source.GetChangeToken();
        }
        catch (Exception exception)
        {
            logger.DomainSourceNotFollowed(source.GetType().Name, exception);
            return null;
        }
    }

    private async Task FollowStoreAsync(Func<Task> reconcile, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await foreach (var _ in storage.WatchAsync(StorageLayout.DomainsPrefix, stopping))
                {
                    await reconcile();
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                logger.FollowingFailed(exception.Message);
            }

            await Task.Delay(Pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task AskSourcesAsync(Func<Task> reconcile, CancellationToken stopping)
    {
        // The first time at once: at the start only the last known answers were taken.
        while (wanted.Sources.Any() && !stopping.IsCancellationRequested)
        {
            await reconcile();
            await Task.Delay(SourceInterval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
