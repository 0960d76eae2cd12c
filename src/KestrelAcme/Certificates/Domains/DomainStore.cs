using System.Text;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Domains;

/// <summary>The names that were added at run time: one value each, so that instances can add and remove at once.</summary>
internal sealed class DomainStore(IAcmeStorage storage)
{
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken)
    {
        var keys = new List<string>();
        await foreach (var key in storage.ListAsync(StorageLayout.DomainsPrefix, cancellationToken))
        {
            keys.Add(key);
        }

        var names = new List<string>(keys.Count);
        await foreach (var entry in storage.ReadManyAsync(keys, cancellationToken))
        {
            names.Add(Encoding.UTF8.GetString(entry.Value.Span));
        }

        return names;
    }

    public ValueTask AddAsync(CertificateIdentifier name, CancellationToken cancellationToken)
        => storage.WriteAsync(StorageLayout.Domain(name), Encoding.UTF8.GetBytes(name.Value), lease: null, cancellationToken);

    /// <returns><see langword="false"/> when the name was not there.</returns>
    public ValueTask<bool> RemoveAsync(CertificateIdentifier name, CancellationToken cancellationToken)
        => storage.DeleteAsync(StorageLayout.Domain(name), lease: null, cancellationToken);
}
