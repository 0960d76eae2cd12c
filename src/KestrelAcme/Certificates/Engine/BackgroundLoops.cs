using KestrelAcme.Certificates.Attempts;
using KestrelAcme.Certificates.Domains;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Certificates.Stored;
using KestrelAcme.Certificates.Upkeep;

namespace KestrelAcme.Certificates.Engine;

/// <summary>What runs beside the scheduler: looks at the store, at the names, at revocation lists, exports what was loaded, and tidies up.</summary>
internal sealed class BackgroundLoops(StorageWatcher store, DomainWatcher domains, RevocationWatcher revocations, Housekeeper housekeeper, CertificateCatalog catalog, CertificateLoadGate loading, CertificateExporter exporter)
{
    public Task RunAsync(Func<Task> reconcile, CancellationToken stopping) => Task.WhenAll(
        store.RunAsync(stopping),
        domains.RunAsync(reconcile, stopping),
        WatchRevocationsAsync(stopping),
        ExportAllAsync(stopping),
        housekeeper.RunAsync(stopping));

    // A list is looked at once a day, for all that name it: not before they are there.
    private async Task WatchRevocationsAsync(CancellationToken stopping)
    {
        await loading.Started;
        await revocations.RunAsync(stopping);
    }

    // A crash may have come between serving a certificate and exporting it, or the export may be a new wish.
    private async Task ExportAllAsync(CancellationToken stopping)
    {
        await loading.Started;
        foreach (var certificate in catalog.All)
        {
            if (certificate.Current is { } current && !stopping.IsCancellationRequested)
            {
                await exporter.ExportAsync(certificate.Id, current.Record, CancellationToken.None);
            }
        }
    }
}
