using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Stored;

/// <summary>Reads some certificates and their states from the store, and serves them.</summary>
internal sealed class CertificateLoader(
    CertificateCatalog catalog, CertificateStore store, TimeProvider time, ILogger<CertificateLoader> logger)
{
    /// <summary>Reads certificates in one batch. What the store holds of them is served when this returns.</summary>
    /// <returns>The IDs for which the store did not say what it holds.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    /// <exception cref="OperationCanceledException">
    /// The operation was canceled. Nothing is changed after that, however late the store responds.
    /// </exception>
    public async Task<IReadOnlySet<string>> LoadAsync(
        IReadOnlyCollection<ManagedCertificate> certificates, CancellationToken cancellationToken)
    {
        var byId = certificates.ToDictionary(c => c.Id, StringComparer.Ordinal);
        var failed = new HashSet<string>(StringComparer.Ordinal);
        var states = await ReadStatesAsync(byId, failed, cancellationToken);
        await ReadCertificatesAsync(byId, states, failed, cancellationToken);
        return failed;
    }

    /// <returns>
    /// The stored states of certificates that were read before. Such a certificate may have changed since, so its own state counts unless
    /// the store has a later certificate.
    /// </returns>
    private async Task<Dictionary<string, CertificateStateRecord>> ReadStatesAsync(
        Dictionary<string, ManagedCertificate> byId, HashSet<string> failed, CancellationToken cancellationToken)
    {
        var known = new Dictionary<string, CertificateStateRecord>(StringComparer.Ordinal);
        await foreach (var (id, record) in store.ReadStatesAsync(byId.Keys, id => failed.Add(id), cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (byId[id].IsLoaded)
            {
                known[id] = record;
            }
            else
            {
                CertificateStateWriter.TakeOver(byId[id], record);
            }
        }

        return known;
    }

    private async Task ReadCertificatesAsync(
        Dictionary<string, ManagedCertificate> byId,
        Dictionary<string, CertificateStateRecord> states,
        HashSet<string> failed,
        CancellationToken cancellationToken)
    {
        var read = new Dictionary<string, CertificateSnapshot>(StringComparer.Ordinal);
        await foreach (var (id, record) in store.ReadCertificatesAsync(byId.Keys, id => failed.Add(id), cancellationToken))
        {
            ShareNames(record.Metadata.Names, byId[id].Specification.Identifiers);
            if (await store.TryReadSnapshotAsync(id, record, cancellationToken) is not { } snapshot
                || !byId[id].MayBeReplacedBy(snapshot, time.GetUtcNow()))
            {
                continue;
            }

            if (ReasonToRefuse(byId[id], snapshot) is { } reason)
            {
                await RefuseAsync(id, snapshot, reason, cancellationToken);
                continue;
            }

            read.Add(id, snapshot);
        }

        if (read.Count == 0)
        {
            return;
        }

        cancellationToken.ThrowIfCancellationRequested();
        var refused = catalog.ServeStored([.. read.Keys.Select(id => new FoundCertificate(byId[id], read[id]))]);
        foreach (var (id, snapshot) in read)
        {
            if (refused.TryGetValue(id, out var reason))
            {
                await RefuseAsync(id, snapshot, reason, cancellationToken);
                continue;
            }

            var state = states.GetValueOrDefault(id, byId[id].State);
            CertificateStateWriter.TakeOver(byId[id], StoredOrders.Settle(state, snapshot, time.GetUtcNow()));
            logger.CertificateLoaded(id, snapshot.SerialNumber, snapshot.NotAfter);
        }
    }

    // Another program put it there, or copied it to the wrong key. A certificate that has expired or lacks some of the names is better than
    // none.
    private static string? ReasonToRefuse(ManagedCertificate certificate, CertificateSnapshot stored)
        => !certificate.Specification.Identifiers.Any(i => stored.Record.Metadata.Names.Contains(i.Value))
            ? "it is for none of the names that are wanted"
            : stored.IsSelfSigned && certificate.Configuration?.Authorities.Any(a => a.IsPublic) == true
                ? "it is self-signed, and no public authority issued it"
            : null;

    private async Task RefuseAsync(string id, CertificateSnapshot refused, string reason, CancellationToken cancellationToken)
    {
        logger.StoredCertificateRefused(id, reason);
        await store.SetCertificateAsideAsync(id, refused.Record, reason, cancellationToken);
    }

    // The names of ten thousand certificates are already in memory: no second copy is kept.
    private static void ShareNames(string[] names, EquatableArray<CertificateIdentifier> wanted)
    {
        for (var i = 0; i < names.Length && i < wanted.Count; i++)
        {
            names[i] = names[i] == wanted[i].Value ? wanted[i].Value : names[i];
        }
    }
}
