using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Puts the work for managed certificates into the scheduler's queue.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class CertificateAgenda(
    CertificateCatalog catalog, CertificatePlanner planner, CertificateScheduler scheduler, TimeProvider time)
{
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

    /// <summary>Plans the work for a certificate. One that has not been read yet is planned as soon as it is.</summary>
    public void Plan(ManagedCertificate certificate)
    {
        if (certificate.IsLoaded && planner.Plan(certificate, time.GetUtcNow()) is { } work)
        {
            scheduler.Schedule(certificate.Id, work);
        }
    }

    /// <summary>Plans an order now.</summary>
    public void OrderNow(ManagedCertificate certificate)
        => scheduler.Schedule(certificate.Id, CertificatePlans.At(time.GetUtcNow(), certificate));

    /// <summary>Has a certificate checked now. Nothing is ordered unless that is due.</summary>
    public void CheckNow(ManagedCertificate certificate)
        => scheduler.Schedule(certificate.Id, CertificatePlans.Maintenance(time.GetUtcNow()));

    /// <summary>Forgets a certificate that is no longer managed. Work that runs for it goes on.</summary>
    public void Remove(string id) => scheduler.Remove(id);

    /// <summary>Runs until cancelled; then waits for the work that is under way.</summary>
    public Task RunAsync(Func<string, WorkLane, Task<PlannedWork?>> work, CancellationToken cancellationToken)
        => scheduler.RunAsync(work, PlanAll, cancellationToken);
}
