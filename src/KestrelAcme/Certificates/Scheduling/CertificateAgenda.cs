using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Queues the jobs of managed certificates in the scheduler.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class CertificateAgenda(
    CertificateCatalog catalog, CertificatePlanner planner, CertificateScheduler scheduler, OrderTurns turns, TimeProvider time)
{
    /// <summary>Plans the jobs of all certificates again.</summary>
    public void PlanAll()
    {
        var all = catalog.All;
        scheduler.Expect(all.Count);
        foreach (var certificate in all)
        {
            Plan(certificate);
        }
    }

    /// <summary>Plans the job of a certificate. One that has not been read yet is planned as soon as it is.</summary>
    public void Plan(ManagedCertificate certificate)
    {
        if (certificate.IsLoaded && planner.Plan(certificate, time.GetUtcNow()) is { } work)
        {
            scheduler.Schedule(certificate.Id, work);

            // A request that arrived after the plan was made has been scheduled already, and the plan would replace it.
            if (certificate.Request is not null && planner.Plan(certificate, time.GetUtcNow()) is { } asked)
            {
                scheduler.Schedule(certificate.Id, asked);
            }
        }
    }

    /// <summary>Plans an order now.</summary>
    public void OrderNow(ManagedCertificate certificate)
        => scheduler.Schedule(certificate.Id, CertificatePlans.At(time.GetUtcNow(), certificate));

    /// <summary>Plans a check of a certificate now. Nothing is ordered unless that is due.</summary>
    public void CheckNow(ManagedCertificate certificate)
        => scheduler.Schedule(certificate.Id, CertificatePlans.Maintenance(time.GetUtcNow()));

    /// <summary>Removes a certificate that is no longer managed. A job in progress goes on.</summary>
    public void Remove(string id) => scheduler.Remove(id);

    /// <summary>Runs until canceled, then waits for the jobs in progress.</summary>
    public async Task RunAsync(Func<string, WorkLane, Task<PlannedWork?>> work, CancellationToken cancellationToken)
    {
        turns.Changed += PlanAll;
        try
        {
            await scheduler.RunAsync(work, PlanAll, cancellationToken);
        }
        finally
        {
            turns.Changed -= PlanAll;
        }
    }
}
