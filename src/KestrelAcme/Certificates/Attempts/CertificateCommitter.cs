using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Attempts;

/// <summary>
/// Stores a new certificate, serves it, and exports it. A store that is full or read-only does not keep it from being served.
/// </summary>
internal sealed class CertificateCommitter(
    CertificateStore store,
    CertificateLeases leases,
    AuthorityRegistry authorities,
    CertificateCatalog catalog,
    CertificateExporter exporter,
    OrderProgress progress,
    TimeProvider time,
    ILogger<CertificateCommitter> logger)
{
    // As much as the clock of this machine may differ from the CA's before nothing is ordered at all.
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    // Another instance that is about to order has the lease for a moment, until it has found out that the store was emptied.
    private const int MaxLeaseTries = 5;
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(200);

    /// <exception cref="UnusableCertificateException">The certificate must not be served; what was served before still is.</exception>
    /// <exception cref="CertificateNotYetValidException">No client accepts it yet, and what is served is valid.</exception>
    public async Task CommitAsync(
        ManagedCertificate certificate, CertificateRecord record, CertificateStateWriter writer, CancellationToken cancellationToken)
    {
        var snapshot = CertificateSnapshot.Read(record);
        ThrowIfTooEarly(certificate, snapshot, time.GetUtcNow());
        var material = snapshot.Material(certificate.Specification);
        IssuedCertificateCheck.ThrowIfRefused(material);
        certificate.Committing = snapshot;
        certificate.Unsaved = !await TryStoreAsync(certificate.Id, record, writer.Lease, cancellationToken);
        Serve(certificate, snapshot);
        (certificate.IsAdopted, certificate.FailedHere) = (false, false);
        await exporter.ExportAsync(certificate.Id, record, cancellationToken);
    }

    private void Serve(ManagedCertificate certificate, CertificateSnapshot snapshot)
    {
        using var step = OrderActivities.StartStep(OrderActivities.PublishCertificate);
        try
        {
            catalog.Serve(certificate, snapshot);
        }
        catch (InvalidCertificateException exception)
        {
            throw new UnusableCertificateException(exception.Message);
        }

        step.Done();
    }

    // A valid certificate is not replaced by one that is not valid yet. If there is none, this one is as good as any, and right if the
    // clock of this machine is wrong.
    private static void ThrowIfTooEarly(ManagedCertificate certificate, CertificateSnapshot issued, DateTimeOffset now)
    {
        if (issued.NotBefore <= now + LargestSkew || certificate.Current is not { } current)
        {
            return;
        }

        var facts = current.Facts(certificate.Specification, renewalInfoOffered: false, certificate.State.Revocation);
        if (facts is { CoversNames: true, Revocation: not RevocationState.Replace }
            && current.NotBefore <= now && current.NotAfter > now
            && (certificate.AcceptsStaging || !current.IsFromStaging))
        {
            throw new CertificateNotYetValidException(issued.NotBefore, current.NotAfter, now);
        }
    }

    /// <summary>Serves a certificate that was found in the store.</summary>
    /// <returns>Whether it is served now.</returns>
    public bool Adopt(ManagedCertificate certificate, CertificateSnapshot snapshot)
    {
        try
        {
            catalog.Serve(certificate, snapshot);
        }
        catch (InvalidCertificateException exception)
        {
            logger.StoredCertificateRefused(certificate.Id, exception.Message);
            return false;
        }

        (certificate.Blocked, certificate.IsAdopted, certificate.FailedHere) = (null, true, false);
        progress.Adopted(certificate, snapshot);
        return true;
    }

    /// <summary>
    /// Takes over what another instance did since the store was last read, or what a crash did not let this one write down. What the store
    /// has lost is stored again: if this process ends during the order, the next one serves it.
    /// </summary>
    public async Task TakeOverAsync(ManagedCertificate certificate, CertificateStateWriter writer, CancellationToken cancellationToken)
    {
        var record = await store.ReadCertificateAsync(certificate.Id, cancellationToken);
        if (record is not null
            && await store.TryReadSnapshotAsync(certificate.Id, record, cancellationToken) is { } stored
            && certificate.MayBeReplacedBy(stored, time.GetUtcNow()))
        {
            Adopt(certificate, stored);
        }

        if (StoredOrders.IsFinished(writer.Pending, certificate.Current)
            || StoredOrders.IsOvertaken(writer.State, certificate.Current, time.GetUtcNow()))
        {
            // The crash came between storing the certificate and forgetting its order, or the state is that of a backup.
            await writer.FinishAsync(time.GetUtcNow(), cancellationToken);
        }

        if (certificate.Current is { } current && (record is null || certificate.Unsaved))
        {
            certificate.Unsaved = !await SaveAgainAsync(certificate, current, writer, cancellationToken);
        }
    }

    /// <summary>Exports what is served for a certificate, if the configuration asks for it.</summary>
    public Task ExportAsync(ManagedCertificate certificate, CancellationToken cancellationToken) => certificate.Current is { } current
        ? exporter.ExportAsync(certificate.Id, current.Record, cancellationToken)
        : Task.CompletedTask;

    /// <summary>
    /// Exports everything: a crash may have come between serving a certificate and exporting it, or the export may be newly configured.
    /// </summary>
    public async Task ExportAllAsync(CancellationToken stopping)
    {
        foreach (var certificate in catalog.All.TakeWhile(_ => !stopping.IsCancellationRequested))
        {
            await ExportAsync(certificate, CancellationToken.None);
        }
    }

    /// <summary>
    /// Tries again to store a certificate that could not be stored or is gone from the store: under the lease, and not over a newer one of
    /// another instance.
    /// </summary>
    /// <returns>Whether nothing is left to store.</returns>
    public async Task<bool> SaveAgainAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        if (certificate is not { Unsaved: true, Current: { } current })
        {
            return true;
        }

        try
        {
            await using var writer = await leases.TryOpenAsync(certificate, cancellationToken);
            if (writer is not null && await SaveAgainAsync(certificate, current, writer, cancellationToken))
            {
                certificate.Unsaved = false;
            }
        }
        catch (Exception exception) when (exception is StorageUnavailableException or LeaseLostException)
        {
            logger.CertificateNotStored(certificate.Id, exception.Message);
        }

        return !certificate.Unsaved;
    }

    /// <summary>
    /// Stores again what belongs to no certificate, after the store was emptied: accounts, and what is known about names that have no
    /// certificate yet.
    /// </summary>
    /// <returns>Whether nothing is left to store.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<bool> SaveOthersAgainAsync(CancellationToken cancellationToken)
    {
        var isWhole = true;
        foreach (var certificate in catalog.All.Where(c => c.Current is null && c.State != CertificateStateRecord.Empty))
        {
            isWhole &= await SaveStateAgainAsync(certificate, cancellationToken);
        }

        await authorities.KeepAccountsAsync(cancellationToken);
        return isWhole;
    }

    // If an attempt is under way whose lease was not lost, it stores the state itself.
    private async Task<bool> SaveStateAgainAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        try
        {
            for (var tries = 0; tries < MaxLeaseTries; tries++)
            {
                await using var writer = await leases.TryOpenAsync(certificate, cancellationToken);
                if (writer is not null)
                {
                    return await writer.ChangeAsync(static state => state, cancellationToken);
                }

                await Task.Delay(LeasePoll, time, cancellationToken);
            }

            return true;
        }
        catch (LeaseLostException)
        {
            return false;
        }
    }

    private async Task<bool> SaveAgainAsync(
        ManagedCertificate certificate, CertificateSnapshot current, CertificateStateWriter writer, CancellationToken cancellationToken)
    {
        if (await store.ReadCertificateAsync(certificate.Id, cancellationToken) is { } record
            && await store.TryReadSnapshotAsync(certificate.Id, record, cancellationToken) is { } stored
            && ((stored.IsSameAs(current) && record.Repaired is null) || certificate.MayBeReplacedBy(stored, time.GetUtcNow())))
        {
            return stored.IsSameAs(current) || Adopt(certificate, stored);
        }

        if (!await TryStoreAsync(certificate.Id, current.Record, writer.Lease, cancellationToken))
        {
            return false;
        }

        certificate.Unstored = null;

        // The state belongs to the certificate, and the account to both: if one is missing, the others may be missing too.
        await writer.ChangeAsync(static state => state, cancellationToken);
        await authorities.KeepAccountsAsync(cancellationToken);
        return true;
    }

    private async Task<bool> TryStoreAsync(
        string id, CertificateRecord record, IStorageLease lease, CancellationToken cancellationToken)
    {
        using var step = OrderActivities.StartStep(OrderActivities.StoreCertificate);
        try
        {
            await store.WriteCertificateAsync(id, record, lease, cancellationToken);
            step.Done();
            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Whatever a store throws, the certificate exists and counts at the CA.
            logger.CertificateNotStored(id, exception.Message);
            return false;
        }
    }
}
