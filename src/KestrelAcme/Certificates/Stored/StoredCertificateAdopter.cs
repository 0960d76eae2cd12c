using KestrelAcme.Certificates.Attempts;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Stored;

/// <summary>
/// Brings a certificate in step with what was found of it in the store: serves a later one of another instance, and stores one again that
/// is gone.
/// </summary>
internal sealed class StoredCertificateAdopter(
    CertificateStore store,
    CertificateCommitter committer,
    CertificateAgenda agenda,
    IssuanceStatus issuance,
    TimeProvider time,
    ILogger<StoredCertificateAdopter> logger)
{
    /// <summary>Serves what is stored, with its state, where it may take the place of what is served.</summary>
    /// <exception cref="StorageUnavailableException">The state could not be read; the certificate is served all the same.</exception>
    public async Task TakeOverAsync(ManagedCertificate certificate, CertificateRecord record, CancellationToken cancellationToken)
    {
        // What is still being read at the start is left to whoever reads it.
        if (!certificate.IsLoaded
            || await store.TryReadSnapshotAsync(certificate.Id, record, cancellationToken) is not { } stored
            || stored.IsSameAs(certificate.Committing))
        {
            return;
        }

        if (!certificate.MayBeReplacedBy(stored, time.GetUtcNow()))
        {
            await KeepOwnAsync(certificate, stored, cancellationToken);
            return;
        }

        if (!committer.Adopt(certificate, stored))
        {
            return;
        }

        var state = await store.ReadStateAsync(certificate.Id, cancellationToken) ?? CertificateStateRecord.Empty;
        CertificateStateWriter.TakeOver(certificate, StoredOrders.Settle(state, stored, time.GetUtcNow()));
        agenda.CheckNow(certificate);
    }

    /// <summary>
    /// Has a certificate stored again that vanished from the store, by an instance that may order: it is still served, and an emptied store
    /// is filled from memory.
    /// </summary>
    public void StoreAgain(ManagedCertificate certificate)
    {
        if (MayStore(certificate))
        {
            logger.StoredCertificateGone(certificate.Id);
            Store(certificate);
        }
    }

    // What was put in the place of a good certificate, or had to be repaired to be read, is replaced by what is served. One that is not
    // valid yet may be so by another clock than ours.
    private async Task KeepOwnAsync(ManagedCertificate certificate, CertificateSnapshot stored, CancellationToken cancellationToken)
    {
        if (certificate.Current is not { } current)
        {
            return;
        }

        if (stored.IsSameAs(current))
        {
            if (stored.Record.Repaired is not null && MayStore(certificate))
            {
                Store(certificate);
            }

            return;
        }

        var fault = stored.FindFault(certificate.Specification, time.GetUtcNow());
        if (fault <= current.FindFault(certificate.Specification, time.GetUtcNow()))
        {
            return;
        }

        logger.StoredCertificateWorse(certificate.Id, stored.SerialNumber, Words(fault, stored), current.SerialNumber);
        if (fault != StoredFault.NotYetValid && MayStore(certificate))
        {
            await store.SetCertificateAsideAsync(certificate.Id, Words(fault, stored), cancellationToken);
            Store(certificate);
        }
    }

    private bool MayStore(ManagedCertificate certificate)
        => certificate is { Current: not null, Unsaved: false } && issuance.ReasonNotToOrder is null;

    private void Store(ManagedCertificate certificate)
    {
        certificate.Unsaved = true;
        agenda.CheckNow(certificate);
    }

    private static string Words(StoredFault fault, CertificateSnapshot stored) => fault switch
    {
        StoredFault.SelfSigned => "it is self-signed",
        StoredFault.OtherNames => "it is not for the names that are wanted",
        StoredFault.Expired => $"it expired on {stored.NotAfter:u}",
        _ => $"it is not valid before {stored.NotBefore:u}",
    };
}
