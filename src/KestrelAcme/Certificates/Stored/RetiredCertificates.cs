using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Stored;

/// <summary>
/// Serves stored certificates whose names are now in another group, or have another kind of key, until the new certificates exist. A
/// restart with a changed list of names takes no name offline.
/// </summary>
internal sealed class RetiredCertificates(
    CertificateCatalog catalog, CertificateStore store, TimeProvider time, ILogger<RetiredCertificates> logger)
{
    /// <summary>
    /// Finds certificates for the names that have no valid one of their own. If the store cannot be asked, or a value cannot be read,
    /// nothing fails.
    /// </summary>
    public async Task PublishAsync(CancellationToken cancellationToken)
    {
        // By the name itself and by the wildcard that covers it. After a change of the kind of key no name has a certificate, and there are
        // as many stored ones to search.
        var now = time.GetUtcNow();
        var bare = catalog.All.Where(
                c => !c.IsWithheld && (c.Current is not { } current || current.NotBefore > now || current.NotAfter <= now))
            .SelectMany(c => c.Specification.Identifiers)
            .SelectMany(i => Covering(i.Value).Select(name => new CoveredName(name, i.Value)))
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
        // A certificate is served only if it is known not to be revoked.
        var unknown = new HashSet<string>(StringComparer.Ordinal);
        var revoked = new Dictionary<string, string?>(StringComparer.Ordinal);
        await foreach (var (id, state) in store.ReadStatesAsync(ids, id => unknown.Add(id), cancellationToken))
        {
            revoked[id] = state.Revocation?.SerialNumber;
        }

        await foreach (var (id, snapshot) in store.ReadUnmanagedCertificatesAsync(ids, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();

            // For the configured names only, not for others that it has.
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

    private sealed record CoveredName(string Name, string Wanted);
}
