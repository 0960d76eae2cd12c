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

/// <summary>Stores a new certificate, serves it, and exports it. A store that is full or read-only does not keep it from being served.</summary>
internal sealed class CertificateCommitter(
    CertificateStore store,
    CertificateLeases leases,
    AuthorityRegistry authorities,
    CertificateCatalog catalog,
    CertificateExporter exporter,
    CertificateEventHub events,
    TimeProvider time,
    ILogger<CertificateCommitter> logger)
{
    // As much as this machine's clock may differ from the CA's before nothing is ordered at all.
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    /// <exception cref="UnusableCertificateException">The certificate must not be served; what was served before still is.</exception>
    /// <exception cref="CertificateNotYetValidException">No client accepts it yet, and what is served is valid.</exception>
    public async Task CommitAsync(ManagedCertificate certificate, CertificateRecord record, CertificateStateWriter journal, CancellationToken cancellationToken)
    {
        var snapshot = CertificateSnapshot.Read(record);
        ThrowIfTooEarly(certificate, snapshot, time.GetUtcNow());
        var material = snapshot.Material(certificate.Specification);
        IssuedCertificateCheck.ThrowIfRefused(material);
        certificate.Committing = snapshot;
        certificate.Unsaved = !await TryStoreAsync(certificate.Id, record, journal.Lease, cancellationToken);
        journal.Reached(OrderStep.CertificateStored);
        try
        {
            catalog.Serve(certificate, snapshot);
        }
        catch (InvalidCertificateException exception)
        {
            throw new UnusableCertificateException(exception.Message);
        }

        journal.Reached(OrderStep.Published);
        await exporter.ExportAsync(certificate.Id, record, cancellationToken);
    }

    // A valid one is not given up for one that is not valid yet; where there is none, this one is as good as any, and right if it is our
    // clock that is wrong.
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

    /// <summary>Serves a certificate that another instance obtained, or that was read from the store.</summary>
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

        certificate.Blocked = null;
        events.Publish(
            CertificateEventKind.Adopted,
            $"Now serving certificate {snapshot.SerialNumber} for {certificate.Id}, found in the store.",
            CertificateStatuses.Create(certificate, orders: true, time.GetUtcNow()));
        return true;
    }

    /// <summary>Tries again to store what could not be stored, or is gone from the store: under the lease, and not over a newer one of another instance.</summary>
    /// <returns>Whether nothing is left to store.</returns>
    public async Task<bool> SaveAgainAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        if (certificate is not { Unsaved: true, Current: { } current })
        {
            return true;
        }

        try
        {
            await using var open = await leases.TryOpenAsync(certificate, cancellationToken);
            if (open is not null && await SaveAgainAsync(certificate, current, open.Journal, cancellationToken))
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

    private async Task<bool> SaveAgainAsync(ManagedCertificate certificate, CertificateSnapshot current, CertificateStateWriter journal, CancellationToken cancellationToken)
    {
        if (await store.ReadCertificateAsync(certificate.Id, cancellationToken) is { } record
            && await store.TryReadSnapshotAsync(certificate.Id, record, cancellationToken) is { } stored
            && ((stored.IsSameAs(current) && record.Repaired is null) || certificate.MayBeReplacedBy(stored, time.GetUtcNow())))
        {
            return stored.IsSameAs(current) || Adopt(certificate, stored);
        }

        if (!await TryStoreAsync(certificate.Id, current.Record, journal.Lease, cancellationToken))
        {
            return false;
        }

        certificate.Unstored = null;

        // The state belongs to it, and the account to both: where the one is missing, so may be the others.
        await journal.ChangeAsync(static state => state, cancellationToken);
        await authorities.KeepAccountsAsync(cancellationToken);
        return true;
    }

    private async Task<bool> TryStoreAsync(string id, CertificateRecord record, IStorageLease? lease, CancellationToken cancellationToken)
    {
        try
        {
            await store.WriteCertificateAsync(id, record, lease, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Whatever a store throws: the certificate is there and counts at the authority.
            logger.CertificateNotStored(id, exception.Message);
            return false;
        }
    }
}
