using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Brings a certificate in step with what was found of it in the store: serves a later one of another instance, and has one stored again that is gone.</summary>
internal sealed class Adoption(CertificateStore store, CertificateCommitter committer, CertificateScheduler scheduler, IssuanceStatus issuance, TimeProvider time, ILogger<Adoption> logger)
{
    /// <summary>Serves what is stored, with its state, where it may take the place of what is served.</summary>
    /// <exception cref="StorageUnavailableException">The state could not be read; the certificate is served all the same.</exception>
    public async Task TakeOverAsync(ManagedCertificate certificate, CertificateRecord record, CancellationToken cancellationToken)
    {
        // What is still being read at the start is left to whoever reads it.
        if (!certificate.IsLoaded
            || await store.TryReadSnapshotAsync(certificate.Id, record, cancellationToken) is not { } stored
            || stored.IsSameAs(certificate.Committing)
            || !certificate.MayBeReplacedBy(stored)
            || !committer.Adopt(certificate, stored))
        {
            return;
        }

        logger.CertificateAdopted(certificate.Id, stored.SerialNumber);
        certificate.State = PendingOrders.Settle(await store.ReadStateAsync(certificate.Id, cancellationToken) ?? CertificateStateRecord.Empty, stored, time.GetUtcNow());
        scheduler.Schedule(certificate.Id, CertificatePlans.Maintenance(time.GetUtcNow()));
    }

    /// <summary>Has a certificate stored again that vanished from the store, by an instance that may order: it is still served, and an emptied store is filled from memory.</summary>
    public void StoreAgain(ManagedCertificate certificate)
    {
        if (certificate is { Current: not null, Unsaved: false } && issuance.ReasonNotToOrder is null)
        {
            logger.StoredCertificateGone(certificate.Id);
            certificate.Unsaved = true;
            scheduler.Schedule(certificate.Id, CertificatePlans.Maintenance(time.GetUtcNow()));
        }
    }
}
