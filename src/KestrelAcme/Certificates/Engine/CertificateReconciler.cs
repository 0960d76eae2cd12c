using KestrelAcme.Certificates.Domains;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Certificates.Stored;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Engine;

/// <summary>
/// Brings what is managed in step with what is wanted: at the start, after a reload, and when names come and go. Orders under way are not
/// touched.
/// </summary>
internal sealed class CertificateReconciler(
    WantedCertificates wanted,
    CertificateCatalog catalog,
    CertificateLoadGate loading,
    CertificateAgenda agenda,
    IssuanceGate issuance,
    NewOrderRateLimiterStore pace,
    ConfigurationSource configuration,
    ILogger<CertificateReconciler> logger)
{
    // Up to as many certificates are all read before Kestrel listens.
    private const int Few = 256;

    private readonly SemaphoreSlim _applying = new(1, 1);
    private readonly Lock _lock = new();
    private Task? _next;

    /// <summary>
    /// Names the certificates that are wanted but missing or expired, with the last failure of each. Names on demand do not count: whether
    /// they get a certificate is up to their owners.
    /// </summary>
    public IReadOnlyList<string> DescribeMissing(DateTimeOffset now)
        => [.. from certificate in catalog.All
               where !certificate.Specification.IsOnDemand && (!certificate.IsLoaded
                   || (certificate.FindProblems(null, now) & (CertificateProblems.Missing | CertificateProblems.Expired)) != 0)
               orderby certificate.Id
               select certificate.Id + (certificate.State.Failure is { } failure ? $" ({failure.Message})" : "")];

    /// <summary>Whether a certificate that is wanted does not exist yet. Names on demand do not count.</summary>
    public bool IsAnyMissing => catalog.All.Any(c => c.Current is null && !c.Specification.IsOnDemand);

    /// <summary>
    /// Takes over what is wanted and reads what the store holds of it; nothing is ordered yet. The configured certificates come first, then
    /// the names that the store remembers, and last those of sources that never answered before: what hangs holds back only what depends on
    /// it. If there are many, the rest is read after this has returned.
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

        await loading.WaitAsync(isWhole: catalog.All.Count <= Few, cancellationToken);
    }

    /// <summary>Once the store has been read, finds out whether this instance orders, and plans the work for every certificate.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        await pace.LoadAsync(cancellationToken);
        await loading.WaitAsync(cancellationToken);
        await issuance.UpdateAsync(isQuiet: catalog.All.Count == 0, cancellationToken);
        loading.OnLoaded(agenda.Plan);
        PlanAll();
    }

    /// <summary>Reads a certificate that was not read yet, before all others.</summary>
    public Task EnsureLoadedAsync(ManagedCertificate certificate)
        => certificate.IsLoaded ? Task.CompletedTask : loading.PublishAsync(certificate.Specification.Identifiers[0].Value);

    /// <summary>Takes over what is wanted now. Calls at the same time share one round, which begins after the last of them.</summary>
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
            await issuance.UpdateAsync(isQuiet: catalog.All.Count == 0, cancellationToken);
            foreach (var id in removed)
            {
                agenda.Remove(id);
            }

            PlanAll();
        }
        finally
        {
            _applying.Release();
        }
    }

    /// <summary>Plans the work for every certificate anew.</summary>
    public void PlanAll() => agenda.PlanAll();
}
