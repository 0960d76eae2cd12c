using System.Text;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Domains;

/// <summary>The names that were added at run time: one value each, so that instances can add and remove at once.</summary>
internal sealed class DomainStore(BoundedStorage storage, ILogger<DomainStore> logger)
{
    private const int Few = 1000;

    private const int MaxReported = 16;

    // Longer than any name.
    private const int MaxValueLength = 1024;

    // Names alone: they may be a hundred thousand, and each tells its key.
    private volatile string[] _last = [];

    /// <summary>The names. A value that cannot be read takes no other away, and none that is known; a store that was emptied is filled with those that are known.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<IReadOnlyCollection<string>> ListAsync(CancellationToken cancellationToken)
    {
        var keys = new List<string>();
        await foreach (var key in storage.ListAsync(StorageLayout.DomainsPrefix, cancellationToken))
        {
            keys.Add(key);
        }

        if (!keys.Remove(StorageLayout.DomainsMark) && await MendAsync(keys.Count, cancellationToken) is { } known)
        {
            return known;
        }

        // A value tells the name for certain, should somebody have copied a file; of thousands, the key has to do.
        var names = new List<string>(keys.Count);
        if (keys.Count > Few)
        {
            keys.RemoveAll(key => TryAdd(names, KnownName(key, names.Count) ?? StorageLayout.DomainOf(key)));
        }

        var before = new Lazy<Dictionary<string, string>>(() => ByKey(_last));
        var unreadable = 0;
        void Keep(string key, string reason)
        {
            if (++unreadable <= MaxReported)
            {
                logger.ValueUnreadable(key, reason);
            }

            TryAdd(names, before.Value.GetValueOrDefault(key));
        }

        await foreach (var entry in TolerantReader.ReadManyAsync(storage, keys, Keep, logger, cancellationToken))
        {
            // What is no name, or not that of its key, was not stored here: a link to another file, say. It is not quoted.
            if (NameIn(entry.Value.Span) is { } name && StorageLayout.Domain(name) == entry.Key)
            {
                names.Add(name.Value);
            }
            else
            {
                Keep(entry.Key, "it does not hold the name that its key stands for");
            }
        }

        if (unreadable > MaxReported)
        {
            logger.MoreValuesUnreadable(unreadable);
        }

        return _last = names.SequenceEqual(_last) ? _last : [.. names];
    }

    public async ValueTask AddAsync(CertificateIdentifier name, CancellationToken cancellationToken)
    {
        await storage.WriteAsync(StorageLayout.DomainsMark, "1"u8.ToArray(), lease: null, cancellationToken);
        await storage.WriteAsync(StorageLayout.Domain(name), Encoding.UTF8.GetBytes(name.Value), lease: null, cancellationToken);
    }

    /// <returns><see langword="false"/> when the name was not there.</returns>
    public ValueTask<bool> RemoveAsync(CertificateIdentifier name, CancellationToken cancellationToken)
        => storage.DeleteAsync(StorageLayout.Domain(name), lease: null, cancellationToken);

    // Most are known from the last look, in the same order: who keeps names for years is given the same ones again.
    private string? KnownName(string key, int i)
        => i < _last.Length && key.AsSpan(StorageLayout.DomainsPrefix.Length).SequenceEqual(_last[i]) ? _last[i] : null;

    private static CertificateIdentifier? NameIn(ReadOnlySpan<byte> value) => value.Length <= MaxValueLength ? DomainNameParser.Parse(Encoding.UTF8.GetString(value).TrimEnd()).Identifier : null;

    private static bool TryAdd(List<string> names, string? name)
    {
        if (name is not null)
        {
            names.Add(name);
        }

        return name is not null;
    }

    // A value that is no name was reported when it was read.
    private static Dictionary<string, string> ByKey(IEnumerable<string> names)
    {
        var byKey = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            if (DomainNameParser.Parse(name).Identifier is { } identifier)
            {
                byKey[StorageLayout.Domain(identifier)] = name;
            }
        }

        return byKey;
    }

    /// <summary>Puts the mark in place; where names are known but none is stored, the store was emptied, and they are stored again.</summary>
    /// <returns>The names that are known, of an emptied store.</returns>
    private async Task<IReadOnlyCollection<string>?> MendAsync(int stored, CancellationToken cancellationToken)
    {
        var known = _last;
        if (stored == 0 && known.Length == 0)
        {
            return null;
        }

        try
        {
            if (stored == 0)
            {
                logger.DomainsGone(known.Length);
                foreach (var (key, name) in ByKey(known))
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

        return stored == 0 ? known : null;
    }
}
