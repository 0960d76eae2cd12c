using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Serves what other instances put into the store, as soon as the store tells.</summary>
internal sealed class StoreFollower(CertificateCatalog catalog, CertificateStore store, CertificateCommitter committer, CertificateScheduler scheduler, TimeProvider time, ILogger<StoreFollower> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await foreach (var change in store.Storage.WatchAsync(StorageLayout.CertificatesPrefix, stopping))
                {
                    await FollowAsync(change, stopping);
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

    private async Task FollowAsync(StorageChange change, CancellationToken cancellationToken)
    {
        var concerned = change.Key is null
            ? catalog.All
            : catalog.All.Where(c => StorageLayout.Certificate(c.Id) == change.Key);
        foreach (var certificate in concerned.ToList())
        {
            await LookAsync(certificate, cancellationToken);
        }
    }

    // A certificate that vanished from the store is still served: only a newer one replaces what we have.
    private async Task LookAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        if (await store.ReadCertificateAsync(certificate.Id, cancellationToken) is not { } record)
        {
            return;
        }

        var stored = CertificateSnapshot.Read(record);
        if (stored.IsSameAs(certificate.Committing) || !certificate.MayBeReplacedBy(stored) || !committer.Adopt(certificate, stored))
        {
            return;
        }

        logger.CertificateAdopted(certificate.Id, stored.SerialNumber);
        certificate.State = PendingOrders.Settle(await store.ReadStateAsync(certificate.Id, cancellationToken) ?? CertificateStateRecord.Empty, stored, time.GetUtcNow());
        scheduler.Schedule(certificate.Id, CertificatePlans.Maintenance(time.GetUtcNow()));
    }
}
