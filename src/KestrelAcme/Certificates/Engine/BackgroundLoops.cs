using KestrelAcme.Certificates.Attempts;
using KestrelAcme.Certificates.Domains;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Certificates.Stored;
using KestrelAcme.Certificates.Upkeep;

namespace KestrelAcme.Certificates.Engine;

/// <summary>
/// What runs until the host stops: the scheduler, and beside it what watches the store, the names and revocation lists, exports what was
/// loaded, and tidies up.
/// </summary>
internal sealed class BackgroundLoops(
    CertificateAgenda agenda,
    CertificateWorker worker,
    CertificateCommitter committer,
    CertificateLoadGate loading,
    StorageWatcher store,
    DomainWatcher domains,
    RevocationWatcher revocations,
    Housekeeper housekeeper)
{
    /// <param name="reconcile">Takes over the wanted names when they change.</param>
    /// <param name="stopping">Ends the loops; what was posted is still answered.</param>
    /// <param name="abort">Ends the work that is under way.</param>
    public async Task RunAsync(Func<Task> reconcile, CancellationToken stopping, CancellationToken abort)
    {
        var watching = Task.WhenAll(
            store.RunAsync(stopping),
            domains.RunAsync(reconcile, stopping),
            WatchRevocationsAsync(stopping),
            ExportAllAsync(stopping),
            housekeeper.RunAsync(stopping));
        await agenda.RunAsync((id, lane) => worker.WorkAsync(id, lane, stopping, abort), stopping);
        await watching;
    }

    // A list is read once a day for all certificates that name it, so not before they are there.
    private async Task WatchRevocationsAsync(CancellationToken stopping)
    {
        await loading.Started;
        await revocations.RunAsync(stopping);
    }

    private async Task ExportAllAsync(CancellationToken stopping)
    {
        await loading.Started;
        await committer.ExportAllAsync(stopping);
    }
}
