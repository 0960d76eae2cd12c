using System.Text;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Domains;

/// <summary>The names that were added at run time: one value each, so that instances can add and remove at once.</summary>
internal sealed class DomainStore(IAcmeStorage storage, ILogger<DomainStore> logger)
{
    private const int Few = 1000;

    private volatile Dictionary<string, string> _last = [];

    /// <summary>The names. A value that cannot be read takes no other away, and none that is known; a store that was emptied is filled with those that are known.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<IReadOnlyCollection<string>> ListAsync(CancellationToken cancellationToken)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var key in storage.ListAsync(StorageLayout.DomainsPrefix, cancellationToken))
        {
            keys.Add(key);
        }

        if (!keys.Remove(StorageLayout.DomainsMark) && await MendAsync(keys.Count, cancellationToken) is { } known)
        {
            return known;
        }

        var names = new Dictionary<string, string>(keys.Count, StringComparer.Ordinal);
        // A value tells the name for certain, should somebody have copied a file; of thousands, the key has to do.
        foreach (var key in keys.Count > Few ? keys : [])
        {
            if (StorageLayout.DomainOf(key) is { } name)
            {
                names[key] = name;
            }
        }

        await foreach (var entry in TolerantReader.ReadManyAsync(storage, [.. keys.Where(k => !names.ContainsKey(k))], (key, reason) => Keep(names, key, reason), logger, cancellationToken))
        {
            names[entry.Key] = Encoding.UTF8.GetString(entry.Value.Span);
        }

        _last = names;
        return names.Values;
    }

    public async ValueTask AddAsync(CertificateIdentifier name, CancellationToken cancellationToken)
    {
        await storage.WriteAsync(StorageLayout.DomainsMark, "1"u8.ToArray(), lease: null, cancellationToken);
        await storage.WriteAsync(StorageLayout.Domain(name), Encoding.UTF8.GetBytes(name.Value), lease: null, cancellationToken);
    }

    /// <returns><see langword="false"/> when the name was not there.</returns>
    public ValueTask<bool> RemoveAsync(CertificateIdentifier name, CancellationToken cancellationToken)
        => storage.DeleteAsync(StorageLayout.Domain(name), lease: null, cancellationToken);

    private void Keep(Dictionary<string, string> names, string key, string reason)
    {
        logger.ValueUnreadable(key, reason);
        if (_last.TryGetValue(key, out var name))
        {
            names[key] = name;
        }
    }

    /// <summary>Puts the mark in place; where names are known but none is stored, the store was emptied, and they are stored again.</summary>
    /// <returns>The names that are known, of an emptied store.</returns>
    private async Task<IReadOnlyCollection<string>?> MendAsync(int stored, CancellationToken cancellationToken)
    {
        var known = _last;
        if (stored == 0 && known.Count == 0)
        {
            return null;
        }

        try
        {
            if (stored == 0)
            {
                logger.DomainsGone(known.Count);
                foreach (var (key, name) in known)
                {
                    await storage.WriteAsync(key, Encoding.UTF8.GetBytes(name), lease: null, cancellationToken);
                }
            }

            await storage.WriteAsync(StorageLayout.DomainsMark, "1"u8.ToArray(), lease: null, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            logger.DomainsNotRead(exception.Message);
        }

        return stored == 0 ? [.. known.Values] : null;
    }
}
