using System.Text;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Domains;

/// <summary>
/// The names that were added at run time. Each is a value of its own, so that instances can add and remove names at the same time.
/// </summary>
internal sealed class DomainStore(BoundedStorage storage, ILogger<DomainStore> logger)
{
    private const int Few = 1000;

    private const int MaxReported = 16;

    // Longer than any name.
    private const int MaxValueLength = 1024;

    // Only the names are kept: there may be a hundred thousand, and each determines its key.
    private volatile CertificateIdentifier[] _last = [];

    /// <summary>
    /// Lists the names. A value that cannot be read removes neither other names nor known ones. A store that was emptied is filled with the
    /// known names.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async Task<IReadOnlyCollection<CertificateIdentifier>> ListAsync(CancellationToken cancellationToken)
    {
        var keys = new List<string>();
        await foreach (var key in storage.ListAsync(StorageLayout.DomainsPrefix, cancellationToken))
        {
            keys.Add(key);
        }

        if (!keys.Remove(StorageLayout.DomainsMark) && await RestoreAsync(keys.Count, cancellationToken) is { } known)
        {
            return known;
        }

        // The value has the name for certain, even if somebody copied a file. With thousands of names, the key must be enough.
        var names = new List<CertificateIdentifier>(keys.Count);
        if (keys.Count > Few)
        {
            keys.RemoveAll(key => TryAdd(names, KnownName(key, names.Count) ?? StorageLayout.DomainOf(key)));
        }

        var before = new Lazy<Dictionary<string, CertificateIdentifier>>(() => _last.ToDictionary(StorageLayout.Domain));
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
            // A value that is not the name of its key was not stored by KestrelAcme; it may be a link to another file. It is not quoted.
            if (NameIn(entry.Value.Span) is { } name && StorageLayout.Domain(name) == entry.Key)
            {
                names.Add(name);
            }
            else
            {
                Keep(entry.Key, "it does not contain the name of its key");
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

    /// <returns><see langword="false"/> if the name had not been added.</returns>
    public ValueTask<bool> RemoveAsync(CertificateIdentifier name, CancellationToken cancellationToken)
        => storage.DeleteAsync(StorageLayout.Domain(name), lease: null, cancellationToken);

    // Most names are known from the last pass, in the same order. Reusing them keeps memory low over the years.
    private CertificateIdentifier? KnownName(string key, int i)
        => i < _last.Length && key.AsSpan(StorageLayout.DomainsPrefix.Length).SequenceEqual(_last[i].Value) ? _last[i] : null;

    private static CertificateIdentifier? NameIn(ReadOnlySpan<byte> value)
        => value.Length <= MaxValueLength ? DomainNameParser.Parse(Encoding.UTF8.GetString(value).TrimEnd()).Identifier : null;

    private static bool TryAdd(List<CertificateIdentifier> names, CertificateIdentifier? name)
    {
        if (name is not null)
        {
            names.Add(name);
        }

        return name is not null;
    }

    /// <summary>Writes the marker. If names are known but none is stored, the store was emptied, and the names are stored again.</summary>
    /// <returns>The known names if the store was emptied; otherwise <see langword="null"/>.</returns>
    private async Task<IReadOnlyCollection<CertificateIdentifier>?> RestoreAsync(int stored, CancellationToken cancellationToken)
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
                foreach (var name in known)
                {
                    await storage.WriteAsync(
                        StorageLayout.Domain(name), Encoding.UTF8.GetBytes(name.Value), lease: null, cancellationToken);
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
