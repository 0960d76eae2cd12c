using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Certificates.Attempts;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Import;

/// <summary>Stores and serves what is imported, as what was obtained is: under the lease, and not over anything newer.</summary>
internal sealed class ImportCommitter(
    CertificateCatalog catalog,
    CertificateStore store,
    CertificateLeases leases,
    CertificateCommitter committer,
    ConfigurationSource configuration,
    TimeProvider time,
    ILogger<ImportCommitter> logger)
{
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    /// <summary>
    /// Stores the first account that was found for each CA, if the store has none there yet and the configuration does not name a key.
    /// </summary>
    public async Task ImportAccountsAsync(
        IReadOnlyList<AuthoritySpecification> authorities, List<ImportedAccount> found, CancellationToken cancellationToken)
    {
        foreach (var authority in authorities)
        {
            if (authority.AccountKey is null && found.Find(a => a.DirectoryUrl == authority.DirectoryUrl) is { } account)
            {
                try
                {
                    await ImportAsync(new StoredAccount(store, authority, time), account, cancellationToken);
                }
                catch (Exception exception) when (exception is StorageUnavailableException or LeaseLostException)
                {
                    logger.ImportSkipped(account.Path, "the store cannot be read or written", "Repair the store, and restart the app");
                }
            }
        }
    }

    // The account that the store has may be in use by orders and CAA records.
    private async Task ImportAsync(StoredAccount stored, ImportedAccount account, CancellationToken cancellationToken)
    {
        if (!await stored.IsEmptyAsync(cancellationToken))
        {
            return;
        }

        await using var lease = await stored.AcquireLeaseAsync(cancellationToken);
        if (await stored.IsEmptyAsync(cancellationToken))
        {
            var metadata = new AccountMetadata
            {
                DirectoryUrl = stored.Authority.DirectoryUrl,
                AccountUrl = account.Url,
                CreatedAt = time.GetUtcNow(),
            };
            await stored.WriteAsync(new AccountRecord(account.KeyPem, metadata), lease, cancellationToken);
            logger.AccountImported(account.Url?.OriginalString ?? "of its key", stored.Authority.DirectoryUrl, account.Path);
        }
    }

    /// <summary>Asks the store which certificates are revoked, for the certificates that lack one.</summary>
    /// <exception cref="StorageUnavailableException">The store cannot be asked.</exception>
    public async Task<StoreKnowledge> AskStoreAsync(CancellationToken cancellationToken)
    {
        var known = new StoreKnowledge(new(StringComparer.OrdinalIgnoreCase), new(StringComparer.Ordinal));
        await foreach (var key in store.Storage.ListAsync(StorageLayout.RevokedPrefix, cancellationToken))
        {
            known.Revoked.Add(Path.GetFileNameWithoutExtension(key[(key.LastIndexOf('-') + 1)..]));
        }

        var missing = new List<string>();
        foreach (var certificate in catalog.All)
        {
            known.Add(certificate.State);
            if (certificate.Current is null)
            {
                missing.Add(certificate.Id);
            }
        }

        await foreach (var (_, state) in store.ReadStatesAsync(missing, id => known.Unread.Add(id), cancellationToken))
        {
            known.Add(state);
        }

        // What cannot be decrypted may have taken the place of a revoked one.
        await foreach (var _ in store.ReadCertificatesAsync(missing, id => known.Unread.Add(id), cancellationToken))
        {
        }

        return known;
    }

    /// <summary>Imports a certificate. A failure is logged.</summary>
    /// <returns>Whether the store said enough to decide.</returns>
    public async Task<bool> ImportAsync(
        ManagedCertificate certificate, ImportedCertificate found, IssuerSearch issuers, CancellationToken cancellationToken)
    {
        var record = RecordFor(certificate, await issuers.CompleteAsync(found.Snapshot.Record, cancellationToken));
        if (record.Chain.Count == 1)
        {
            logger.ImportSkipped(
                $"The issuer of {found.Path}",
                "the file has only the certificate, and its issuer could not be fetched from the URL that it names",
                "Some clients cannot verify the certificate: let the app reach that URL and restart it, or renew the certificate");
            if (found.Snapshot.IsSameAs(certificate.Current))
            {
                return true;
            }
        }

        try
        {
            var isServed = await ImportAsync(certificate, record, cancellationToken);
            if (isServed == true)
            {
                logger.CertificateImported(certificate.Id, found.Snapshot.SerialNumber, found.Path, found.Snapshot.NotAfter);
            }

            return isServed is not null;
        }
        catch (Exception exception)
            when (exception is InvalidCertificateException or UnusableCertificateException or CertificateNotYetValidException)
        {
            logger.ImportSkipped(found.Path, $"it cannot be served ({exception.Message.TrimEnd('.')})", ImportFiles.Restore);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // It must not keep the others from being imported.
            logger.ImportFailed(exception);
        }

        return true;
    }

    /// <returns>Whether it is served; <see langword="null"/> if the store does not say whether it may be.</returns>
    private async Task<bool?> ImportAsync(ManagedCertificate certificate, CertificateRecord record, CancellationToken cancellationToken)
    {
        var snapshot = CertificateSnapshot.Read(record);
        var mayStore = configuration.Current.Issuance == IssuanceMode.Automatic;
        try
        {
            // One that could not be read from the store yet is compared with it before it is stored.
            await using var writer = mayStore && certificate.IsLoaded ? await leases.TryOpenAsync(certificate, cancellationToken) : null;
            if (writer is not null)
            {
                return await ImportAsync(certificate, snapshot, writer, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is StorageUnavailableException or LeaseLostException)
        {
            // What cannot be read may say that this one is revoked, and was replaced.
            if (certificate.Current is null)
            {
                return null;
            }

            // It is served, and stored when the store can be used again.
        }

        catalog.Serve(certificate, snapshot);
        certificate.Unsaved = mayStore;
        return true;
    }

    private async Task<bool> ImportAsync(
        ManagedCertificate certificate, CertificateSnapshot snapshot, CertificateStateWriter writer, CancellationToken cancellationToken)
    {
        // Another instance may have imported it, or something newer.
        await committer.TakeOverAsync(certificate, writer, cancellationToken);
        var now = time.GetUtcNow();
        if (!ImportPolicy.Replaces(certificate, snapshot, now)
            || ImportPolicy.Refuse(certificate, snapshot, now) is not null
            || await store.Storage.ReadAsync(StorageLayout.Revoked(certificate.Id, snapshot.SerialNumber), cancellationToken) is not null)
        {
            return false;
        }

        await committer.CommitAsync(certificate, snapshot.Record, writer, cancellationToken);
        if (snapshot.NotBefore > now - Week && snapshot.Record.Metadata.Names.Length == certificate.Specification.Identifiers.Count)
        {
            // It counts against the CA's limit for exactly these names.
            CertificateStateWriter.ChangeUnstored(
                certificate, state => ExactSetPolicy.Add(state, snapshot.NotBefore, authority: null));
        }

        // An order that was begun is finished: the CA may have issued its certificate.
        if (writer.Pending is null && !certificate.Unsaved)
        {
            await writer.FinishAsync(now, cancellationToken);
        }

        return true;
    }

    // Without a stored one, it counts as obtained when it was issued, so that a later one in the store wins. The jitter depends on the
    // certificate that it is stored for, so that those that share it are not renewed at the same moment, and is the same in each instance.
    private CertificateRecord RecordFor(ManagedCertificate certificate, CertificateRecord found)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(found.Chain[0].Span);
        hash.AppendData(Encoding.UTF8.GetBytes(certificate.Id));
        return found with
        {
            Metadata = found.Metadata with
            {
                ObtainedAt = certificate.Current is null ? found.Metadata.ObtainedAt : time.GetUtcNow(),
                Jitter = hash.GetHashAndReset()[0] / 256.0,
            },
        };
    }

    /// <summary>What the store says about revocation.</summary>
    /// <param name="Revoked">The serial numbers of revoked certificates.</param>
    /// <param name="Unread">The IDs of the certificates whose stored values cannot be read now. Nothing is served for them.</param>
    public sealed record StoreKnowledge(HashSet<string> Revoked, HashSet<string> Unread)
    {
        public void Add(CertificateStateRecord state)
        {
            if (state.Revocation is { } revocation)
            {
                Revoked.Add(revocation.SerialNumber);
            }
        }
    }
}
