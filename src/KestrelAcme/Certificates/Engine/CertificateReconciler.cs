using KestrelAcme.Certificates.Domains;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Certificates.Stored;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Engine;

/// <summary>Brings what is managed in step with what is wanted: at the start, after a reload, and when names come and go. Orders under way are not touched.</summary>
internal sealed class CertificateReconciler(
    WantedCertificates wanted,
    CertificateCatalog catalog,
    CertificateLoadGate loading,
    LoadQueue queue,
    CertificateScheduler scheduler,
    CertificatePlanner planner,
    IssuanceStatus issuance,
    ConfigurationSource configuration,
    BoundedStorage storage,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger<CertificateReconciler> logger)
{
    // As many are read before Kestrel listens, whatever time they take.
    private const int Few = 256;

    private readonly SemaphoreSlim _applying = new(1, 1);
    private readonly Lock _lock = new();
    private Task? _next;

    /// <summary>
    /// Takes over what is wanted and reads what the store holds of it; nothing is ordered yet. The configured certificates come first, then the names that the store remembers,
    /// and last those of sources that never answered before: whatever hangs keeps back only what depends on it. Where there are many, the rest is read after this has returned.
    /// </summary>
    /// <param name="stopping">Ends the reading.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task LoadAsync(CancellationToken stopping, CancellationToken cancellationToken)
    {
        loading.Begin();
        try
        {
            Load(wanted.Configured, stopping);
            Load(await wanted.RecallAsync(cancellationToken), stopping);
            if (!await wanted.KnowsAllSourcesAsync(cancellationToken))
            {
                Load(await wanted.GatherAsync(cancellationToken), stopping);
            }
        }
        finally
        {
            _ = loading.CompleteAsync(stopping);
        }

        await WaitAsync(loading.Started, catalog.All.Count > Few ? settings.LoadAhead : Timeout.InfiniteTimeSpan, cancellationToken);
    }

    /// <summary>Finds out whether this instance orders, and plans the work for every certificate, once the store was read.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        await WaitAsync(loading.Started, settings.LoadTime, cancellationToken);
        await UpdateIssuanceAsync(cancellationToken);
        queue.OnLoaded(Plan);
        PlanAll();
    }

    /// <summary>Reads a certificate that was not read yet, before all others.</summary>
    public Task EnsureLoadedAsync(ManagedCertificate certificate)
        => certificate.IsLoaded ? Task.CompletedTask : loading.PublishAsync(certificate.Specification.Identifiers[0].Value);

    /// <summary>Takes over what is wanted now. Many calls at once share one round, which begins after the last of them.</summary>
    public Task ReconcileAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _next ??= RunRoundAsync(cancellationToken);
        }
    }

    private void Load(IReadOnlyList<CertificateSpecification> specifications, CancellationToken stopping)
    {
        var (added, _) = catalog.Apply(specifications, configuration.Current);
        _ = loading.LoadAsync(added, stopping);
    }

    private async Task<bool> WaitAsync(Task task, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(limit, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private async Task RunRoundAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        await _applying.WaitAsync(cancellationToken);
        try
        {
            lock (_lock)
            {
                _next = null;
            }

            var (added, removed) = catalog.Apply(await wanted.GatherAsync(cancellationToken), configuration.Current);
            if (added.Count > 0 || removed.Count > 0)
            {
                logger.CertificatesChanged(added.Count, removed.Count);
            }

            await loading.LoadAsync(added, cancellationToken);
            await UpdateIssuanceAsync(cancellationToken);
            foreach (var id in removed)
            {
                scheduler.Remove(id);
            }

            PlanAll();
        }
        finally
        {
            _applying.Release();
        }
    }

    private async Task UpdateIssuanceAsync(CancellationToken cancellationToken)
    {
        var report = await storage.CheckAsync(cancellationToken);
        if (catalog.All.Count > 0 && report is { Explanation: { } explanation } and ({ Readable: false } or { Writable: false }))
        {
            logger.StoreNeedsAttention(report.Place, explanation);
        }

        var before = issuance.ReasonNotToOrder;
        issuance.ReasonNotToOrder = IssuanceGate.ReasonNotToOrder(configuration.Current, report);
        if (issuance.ReasonNotToOrder is { } reason && reason != before && catalog.All.Count > 0)
        {
            logger.NothingIsOrdered(reason);
        }
    }

    /// <summary>Plans the work for every certificate anew.</summary>
    public void PlanAll()
    {
        var all = catalog.All;
        scheduler.Expect(all.Count);
        foreach (var certificate in all)
        {
            Plan(certificate);
        }
    }

    // What is not read yet is planned as soon as it is.
    private void Plan(ManagedCertificate certificate)
    {
        if (certificate.IsLoaded && planner.Plan(certificate) is { } work)
        {
            scheduler.Schedule(certificate.Id, work);
        }
    }
}
