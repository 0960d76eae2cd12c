using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Loading;

/// <summary>
/// Serves what is stored under names that are wanted in another grouping, or with another kind of key, until that exists: a restart with a changed list of names takes no name offline.
/// </summary>
internal sealed class SupersededCertificates(CertificateCatalog catalog, CertificateStore store, ITlsPublisher tls, TimeProvider time, ILogger<SupersededCertificates> logger)
{
    /// <summary>Looks for what covers the names that have no certificate of their own. A store that cannot be asked, or a value that cannot be read, is passed over.</summary>
    public async Task PublishAsync(CancellationToken cancellationToken)
    {
        var bare = catalog.All.Where(c => c.Current is null).SelectMany(c => c.Specification.Identifiers).Select(i => i.Value).ToHashSet(StringComparer.Ordinal);
        if (bare.Count == 0)
        {
            return;
        }

        try
        {
            foreach (var batch in (await UnmanagedAsync(cancellationToken)).Chunk(TolerantReader.BatchSize))
            {
                await PublishAsync(batch, bare, cancellationToken);
            }
        }
        catch (StorageUnavailableException exception)
        {
            logger.StoreUnavailableAtLoad(exception.Message);
        }
    }

    private async Task<List<string>> UnmanagedAsync(CancellationToken cancellationToken)
    {
        var ids = new List<string>();
        await foreach (var key in store.Storage.ListAsync(StorageLayout.CertificatesPrefix, cancellationToken))
        {
            var id = StorageLayout.IdOf(key);
            if (StorageLayout.Certificate(id) == key && catalog.Find(id) is null)
            {
                ids.Add(id);
            }
        }

        return ids;
    }

    private async Task PublishAsync(string[] ids, HashSet<string> bare, CancellationToken cancellationToken)
    {
        var revoked = new Dictionary<string, string?>(StringComparer.Ordinal);
        await foreach (var (id, state) in store.ReadStatesAsync(ids, cancellationToken))
        {
            revoked[id] = state.Revocation?.SerialNumber;
        }

        await foreach (var (id, record) in store.ReadCertificatesAsync(ids, static _ => { }, cancellationToken))
        {
            if (record.Metadata.Names.Any(bare.Contains)
                && await store.TryReadSnapshotAsync(id, record, cancellationToken) is { } snapshot
                && snapshot.NotAfter > time.GetUtcNow()
                && revoked.GetValueOrDefault(id) != snapshot.SerialNumber
                && catalog.TryRetire(id, snapshot)
                && tls.PublishStored([snapshot.Material(id)]).Count == 0)
            {
                logger.SupersededCertificateServed(id, snapshot.NotAfter);
            }
        }
    }
}
