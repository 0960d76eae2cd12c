using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Engine;

/// <summary>
/// How all managed certificates are, for health checks and metrics. From memory: nothing is read and nothing is waited for, unless the
/// doctor is called.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class CertificateOverview(
    CertificateCatalog catalog, IssuanceStatus issuance, ConfigurationSource configuration, TimeProvider time, CallDoctor doctor)
{
    /// <summary>Why this instance orders nothing, unless it was configured so, or it has not started yet.</summary>
    public string? Obstacle
        => issuance.IsKnown && configuration.Current.Issuance != IssuanceMode.ServeOnly ? issuance.ReasonNotToOrder : null;

    /// <summary>The number of managed certificates.</summary>
    public int Count => catalog.All.Count;

    /// <summary>The public status of a certificate.</summary>
    public CertificateStatus Status(ManagedCertificate certificate)
        => CertificateStatuses.Create(certificate, orders: issuance.ReasonNotToOrder is null, time.GetUtcNow());

    /// <summary>Calls the doctor, who also looks at what the certificates depend on.</summary>
    public Task<DiagnosisReport> DiagnoseAsync(CancellationToken cancellationToken) => doctor().DiagnoseAsync(cancellationToken);

    /// <summary>Looks at each managed certificate.</summary>
    public IEnumerable<CertificateCondition> Look()
    {
        var (now, obstacle, orders) = (time.GetUtcNow(), Obstacle, issuance.ReasonNotToOrder is null);
        foreach (var certificate in catalog.All)
        {
            yield return new CertificateCondition(
                certificate,
                CertificateStatuses.StateOf(certificate),
                certificate.Current?.NotAfter - now,
                orders ? CertificateStatuses.NextOrder(certificate, now) - now : null,
                certificate.FindProblems(obstacle, now));
        }
    }
}

/// <summary>How a managed certificate is at one moment.</summary>
/// <param name="Certificate">The certificate.</param>
/// <param name="State">Its state, as in its status.</param>
/// <param name="Expiry">The time until it expires, negative afterwards; <see langword="null"/> if there is none.</param>
/// <param name="Renewal">The time until the next order, negative if it is late; <see langword="null"/> if none is planned.</param>
/// <param name="Problems">What an operator should look at.</param>
internal readonly record struct CertificateCondition(
    ManagedCertificate Certificate, CertificateState State, TimeSpan? Expiry, TimeSpan? Renewal, CertificateProblems Problems);
