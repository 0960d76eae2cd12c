using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Stored;

/// <summary>
/// Serves what is stored under names that are wanted in another grouping, or with another kind of key, until that exists: a restart with a
/// changed list of names takes no name offline.
/// </summary>
internal sealed class RetiredCertificates(
    CertificateCatalog catalog, CertificateStore store, TimeProvider time, ILogger<RetiredCertificates> logger)
{
    /// <summary>
    /// Looks for what covers the names that have no valid certificate of their own. A store that cannot be asked, or a value that cannot
    /// be read, is passed over.
    /// </summary>
    public async Task PublishAsync(CancellationToken cancellationToken)
    {
        // Under itself, and under the wildcard that would cover it: a change of the kind of key leaves all names bare, and as many
        // certificates to look through.
        var now = time.GetUtcNow();
        var bare = catalog.All.Where(c => c.Current is not { } current || current.NotBefore > now || current.NotAfter <= now)
            .SelectMany(c => c.Specification.Identifiers)
            .SelectMany(i => Covering(i.Value).Select(name => (Name: name, Wanted: i.Value)))
            .Distinct()
            .ToLookup(n => n.Name, n => n.Wanted, StringComparer.Ordinal);
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

    private async Task PublishAsync(string[] ids, ILookup<string, string> bare, CancellationToken cancellationToken)
    {
        // What is not known not to be revoked is not served.
        var unknown = new HashSet<string>(StringComparer.Ordinal);
        var revoked = new Dictionary<string, string?>(StringComparer.Ordinal);
        await foreach (var (id, state) in store.ReadStatesAsync(ids, id => unknown.Add(id), cancellationToken))
        {
            revoked[id] = state.Revocation?.SerialNumber;
        }

        await foreach (var (id, snapshot) in store.ReadUnmanagedCertificatesAsync(ids, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();

            // For the names that are wanted, and no others that it may have.
            string[] names = [.. snapshot.Record.Metadata.Names.SelectMany(n => bare[n]).Distinct(StringComparer.Ordinal)];
            if (names.Length > 0
                && !unknown.Contains(id)
                && !snapshot.IsSelfSigned
                && snapshot.NotBefore <= time.GetUtcNow() && snapshot.NotAfter > time.GetUtcNow()
                && revoked.GetValueOrDefault(id) != snapshot.SerialNumber
                && catalog.TryServeRetired(id, snapshot, names))
            {
                logger.RetiredCertificateServed(id, snapshot.NotAfter);
            }
        }
    }

    private static IEnumerable<string> Covering(string wanted)
    {
        yield return wanted;
        var dot = wanted.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0 && wanted[0] != '*')
        {
            yield return $"*{wanted[dot..]}";
        }
    }
}
