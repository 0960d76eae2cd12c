using KestrelAcme.Certificates.Domains;
using KestrelAcme.Certificates.Revocation;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>What runs beside the scheduler: looks at the store, at the names, at revocation lists, and tidies up.</summary>
internal sealed class EngineWatchers(StoreFollower store, DomainWatcher domains, RevocationWatcher revocations, Housekeeper housekeeper)
{
    public Task RunAsync(Func<Task> reconcile, CancellationToken stopping) => Task.WhenAll(
        store.RunAsync(stopping),
        domains.RunAsync(reconcile, stopping),
        revocations.RunAsync(stopping),
        housekeeper.RunAsync(stopping));
}
