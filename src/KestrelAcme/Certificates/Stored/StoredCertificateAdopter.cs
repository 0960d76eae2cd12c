using KestrelAcme.Certificates.Attempts;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Stored;

/// <summary>Compares a certificate with its stored value: serves a newer one of another instance, and stores a missing one again.</summary>
internal sealed class StoredCertificateAdopter(
    CertificateStore store,
    CertificateCommitter committer,
    CertificateAgenda agenda,
    IssuanceStatus issuance,
    TimeProvider time,
    ILogger<StoredCertificateAdopter> logger)
{
    private static readonly TimeSpan ClockMargin = TimeSpan.FromHours(1);

    /// <summary>Whether this instance writes back what is gone from the store: only one that may order does.</summary>
    public bool MayStoreAgain => issuance.ReasonNotToOrder is null;

    /// <summary>Serves a stored certificate, with its state, if it may replace the one that is served.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="record">What is stored.</param>
    /// <param name="readState">Reads its state, if it is needed.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="StorageUnavailableException">The state could not be read. The certificate is served all the same.</exception>
    public async Task TakeOverAsync(
        ManagedCertificate certificate,
        CertificateRecord record,
        Func<ValueTask<CertificateStateRecord?>> readState,
        CancellationToken cancellationToken)
    {
        // A certificate that is still being read at the start is not touched.
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

        var state = await readState() ?? CertificateStateRecord.Empty;
        CertificateStateWriter.TakeOver(certificate, StoredOrders.Settle(state, stored, time.GetUtcNow()));

        // The check may wait behind renewal information that a CA is slow to give; those that wait for the certificate need not.
        certificate.AnswerUnlessForced(failure: null);
        agenda.CheckNow(certificate);
    }

    /// <summary>
    /// Stores a certificate again that has vanished from the store, if this instance may order: it is still served, and an emptied store is
    /// filled from memory.
    /// </summary>
    public void StoreAgain(ManagedCertificate certificate)
    {
        if (MayStore(certificate))
        {
            logger.StoredCertificateGone(certificate.Id);
            Store(certificate);
        }
    }

    // If a stored certificate is worse than the current one, or was damaged, the current one is stored in its place. One that is not valid
    // yet may be valid by the clock of another instance.
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

        var now = time.GetUtcNow();
        var (fault, own) = (stored.FindFault(certificate.Specification, now), current.FindFault(certificate.Specification, now));
        if (fault == own && IsOfBackup(certificate, stored, current) && MayStore(certificate))
        {
            logger.StoredCertificateWorse(
                certificate.Id, stored.SerialNumber, $"it is older, valid until {stored.NotAfter:u}", current.SerialNumber);
            Store(certificate);
        }

        if (fault <= own)
        {
            return;
        }

        logger.StoredCertificateWorse(certificate.Id, stored.SerialNumber, Words(fault, stored), current.SerialNumber);
        if (fault != StoredFault.NotYetValid && MayStore(certificate))
        {
            await store.SetCertificateAsideAsync(certificate.Id, stored.Record, Words(fault, stored), cancellationToken);
            Store(certificate);
        }
    }

    // The store was restored from a backup: the next start would serve the older certificate, and order. One whose times are newer by the
    // CA's clock may be that of another instance whose clock is behind.
    private static bool IsOfBackup(ManagedCertificate certificate, CertificateSnapshot stored, CertificateSnapshot current)
        => stored.Record.Metadata.ObtainedAt < current.Record.Metadata.ObtainedAt - ClockMargin
            && stored.NotBefore < current.NotBefore
            && (certificate.AcceptsStaging || !current.IsFromStaging)
            && certificate.State.Revocation?.SerialNumber != current.SerialNumber;

    private bool MayStore(ManagedCertificate certificate)
        => certificate is { Current: not null, Unsaved: false } && MayStoreAgain;

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
