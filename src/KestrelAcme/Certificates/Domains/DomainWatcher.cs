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
        var changes = wanted.Sources.Select(s => ChangeToken.OnChange(s.GetChangeToken, () => _ = reconcile())).ToList();
        try
        {
            await Task.WhenAll(FollowStoreAsync(reconcile, stopping), AskSourcesAsync(reconcile, stopping));
        }
        finally
        {
            changes.ForEach(c => c.Dispose());
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
        while (wanted.Sources.Any() && !stopping.IsCancellationRequested)
        {
            await Task.Delay(SourceInterval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stopping.IsCancellationRequested)
            {
                await reconcile();
            }
        }
    }
}
