using KestrelAcme.Certificates.Domains;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Brings what is managed in step with what is wanted: at the start, after a reload, and when names come and go. Orders under way are not touched.</summary>
internal sealed class CertificateReconciler(
    WantedCertificates wanted,
    CertificateCatalog catalog,
    CertificateLoader loader,
    CertificateScheduler scheduler,
    CertificateWorker worker,
    IssuanceStatus issuance,
    ConfigurationSource configuration,
    IAcmeStorage storage,
    ILogger<CertificateReconciler> logger)
{
    private readonly SemaphoreSlim _applying = new(1, 1);
    private readonly Lock _lock = new();
    private Task? _next;

    /// <summary>
    /// Takes over what is wanted and reads what the store holds of it; nothing is ordered yet. The configured certificates come first, then the names that the store remembers,
    /// and last those of sources that never answered before: whatever hangs keeps back only what depends on it.
    /// </summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await LoadAsync(wanted.Configured, cancellationToken);
        await LoadAsync(await wanted.RecallAsync(cancellationToken), cancellationToken);
        if (!await wanted.KnowsAllSourcesAsync(cancellationToken))
        {
            await LoadAsync(await wanted.GatherAsync(cancellationToken), cancellationToken);
        }
    }

    private async Task LoadAsync(IReadOnlyList<CertificateSpecification> specifications, CancellationToken cancellationToken)
    {
        var (added, _) = catalog.Apply(specifications, configuration.Current);
        await loader.LoadAsync(added, cancellationToken);
    }

    /// <summary>Finds out whether this instance orders, and plans the work for every certificate.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        await UpdateIssuanceAsync(cancellationToken);
        PlanAll();
    }

    /// <summary>Takes over what is wanted now. Many calls at once share one round, which begins after the last of them.</summary>
    public Task ReconcileAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _next ??= RunRoundAsync(cancellationToken);
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

            await loader.LoadAsync(added, cancellationToken);
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
        if (report is { Explanation: { } explanation } and ({ Readable: false } or { Writable: false }))
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
        foreach (var certificate in catalog.All)
        {
            if (worker.Plan(certificate) is { } work)
            {
                scheduler.Schedule(certificate.Id, work);
            }
        }
    }
}
