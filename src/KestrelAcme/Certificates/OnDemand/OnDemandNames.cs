using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>The names on demand that this instance knows, and their records in the store, which all instances share.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class OnDemandNames(BoundedStorage storage, TimeProvider time, ILogger<OnDemandNames> logger)
{
    // A record with a hundred names of the longest kind is smaller.
    private const int MaxRecordLength = 64 * 1024;

    // By each of their names: a certificate may have several.
    private readonly ConcurrentDictionary<string, OnDemandName> _byName = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, OnDemandName> _byKey = new(StringComparer.Ordinal);

    public IAcmeStorage Storage => storage;

    /// <summary>All names, once each.</summary>
    public IEnumerable<OnDemandName> All => _byKey.Select(n => n.Value);

    public OnDemandName? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Finds the name whose certificate it is. A name of a group may have a certificate of its own.</summary>
    public OnDemandName? Find(ManagedCertificate certificate)
    {
        foreach (var identifier in certificate.Specification.Identifiers)
        {
            if (Find(identifier.Value) is { } known && known.Specifications.Any(s => s.Id == certificate.Id))
            {
                return known;
            }
        }

        return null;
    }

    /// <summary>Finds the name whose record has a key.</summary>
    public OnDemandName? FindByKey(string key) => _byKey.GetValueOrDefault(key);

    /// <summary>The key of the record of a valid name.</summary>
    public static string KeyOf(string name) => StorageLayout.OnDemand(Parse(name)!);

    public void Add(OnDemandName added)
    {
        // A name in a group that has a certificate of its own is served with that.
        foreach (var name in added.Names)
        {
            if (name == added.Record.Name)
            {
                _byName[name] = added;
            }
            else
            {
                _byName.TryAdd(name, added);
            }
        }

        _byKey[KeyOf(added.Record.Name)] = added;
    }

    /// <summary>Replaces a name by itself with other settings. It is known all the time.</summary>
    public void Replace(OnDemandName known, OnDemandName added)
    {
        foreach (var name in added.Names)
        {
            _byName.TryUpdate(name, added, known);
        }

        Add(added);
        Remove(known);
    }

    public void Remove(OnDemandName removed)
    {
        foreach (var name in removed.Names)
        {
            _byName.TryRemove(new(name, removed));
        }

        _byKey.TryRemove(new(KeyOf(removed.Record.Name), removed));
    }

    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async Task<OnDemandRecord?> ReadAsync(CertificateIdentifier name, CancellationToken cancellationToken)
        => await storage.ReadAsync(StorageLayout.OnDemand(name), cancellationToken) is { } value
            ? Decode(StorageLayout.OnDemand(name), value)
            : null;

    /// <summary>Reads the records of some names, by name. Those that do not exist are left out.</summary>
    /// <exception cref="StorageUnavailableException">Not all of them could be read: nothing may be taken as new.</exception>
    public async Task<Dictionary<string, OnDemandRecord>> ReadAsync(
        IReadOnlyCollection<CertificateIdentifier> some, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, OnDemandRecord>(StringComparer.Ordinal);
        await foreach (var entry in ReadValuesAsync(some, cancellationToken))
        {
            if (Decode(entry.Key, entry.Value) is { } record)
            {
                found[record.Name] = record;
            }
        }

        return found;
    }

    /// <summary>Returns those of some names that have a record, also if it is damaged: nobody forgot them.</summary>
    /// <exception cref="StorageUnavailableException">Not all of them could be read: nothing may be taken as gone.</exception>
    public async Task<HashSet<string>> FindStoredAsync(
        IReadOnlyCollection<CertificateIdentifier> some, CancellationToken cancellationToken)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var entry in ReadValuesAsync(some, cancellationToken))
        {
            keys.Add(entry.Key);
        }

        return some.Where(name => keys.Contains(StorageLayout.OnDemand(name))).Select(n => n.Value).ToHashSet(StringComparer.Ordinal);
    }

    private IAsyncEnumerable<StorageEntry> ReadValuesAsync(
        IReadOnlyCollection<CertificateIdentifier> some, CancellationToken cancellationToken)
    {
        var keys = some.Select(StorageLayout.OnDemand).Distinct(StringComparer.Ordinal).ToList();
        static void Fail(string key, string reason) => throw new StorageUnavailableException($"'{key}' could not be read: {reason}");
        return TolerantReader.ReadManyAsync(storage, keys, Fail, logger, cancellationToken);
    }

    /// <summary>Reads all records. Those that cannot be read are left out.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async IAsyncEnumerable<OnDemandRecord> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var keys = new List<string>();
        await foreach (var key in storage.ListAsync(StorageLayout.OnDemandPrefix, cancellationToken))
        {
            if (key != StorageLayout.OnDemandMark)
            {
                keys.Add(key);
            }
        }

        await foreach (var entry in TolerantReader.ReadManyAsync(storage, keys, static (_, _) => { }, logger, cancellationToken))
        {
            if (Decode(entry.Key, entry.Value) is { } record)
            {
                yield return record;
            }
        }
    }

    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    public ValueTask WriteAsync(
        CertificateIdentifier name, OnDemandRecord record, IStorageLease? lease, CancellationToken cancellationToken)
        => storage.WriteAsync(StorageLayout.OnDemand(name), OnDemandFile.Encode(record), lease, cancellationToken);

    /// <summary>Changes the record of a name in the store, as it is there. One that is gone is not written back.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read or written.</exception>
    public async Task ChangeAsync(
        OnDemandName name, Func<OnDemandRecord, OnDemandRecord> change, CancellationToken cancellationToken)
    {
        var identifier = Parse(name.Record.Name)!;
        if (await ReadAsync(identifier, cancellationToken) is not { } stored)
        {
            return;
        }

        name.Learn(stored, time);
        var changed = change(stored);
        if (!ReferenceEquals(changed, stored))
        {
            await WriteAsync(identifier, changed, lease: null, cancellationToken);
        }

        name.Stored(changed);
    }

    /// <summary>Whether the store remembers that there are names on demand: it was not emptied.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async Task<bool> IsMarkedAsync(CancellationToken cancellationToken)
        => await storage.ReadAsync(StorageLayout.OnDemandMark, cancellationToken) is not null;

    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    public async Task MarkAsync(CancellationToken cancellationToken)
    {
        if (!await IsMarkedAsync(cancellationToken))
        {
            await storage.WriteAsync(StorageLayout.OnDemandMark, "1"u8.ToArray(), lease: null, cancellationToken);
        }
    }

    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    public ValueTask<bool> DeleteAsync(CertificateIdentifier name, CancellationToken cancellationToken)
        => storage.DeleteAsync(StorageLayout.OnDemand(name), lease: null, cancellationToken);

    /// <summary>Returns the record in a stored value; <see langword="null"/> if it is not that of its key.</summary>
    public OnDemandRecord? Decode(string key, ReadOnlyMemory<byte> value)
    {
        try
        {
            if (value.Length <= MaxRecordLength
                && OnDemandFile.Decode(value.Span) is var record
                && Parse(record.Name) is { } name && StorageLayout.OnDemand(name) == key)
            {
                return record;
            }

            logger.ValueUnreadable(key, "it is not the record of its name");
        }
        catch (DamagedValueException exception)
        {
            logger.ValueUnreadable(key, exception.Message);
        }

        return null;
    }

    /// <summary>Returns the name of a record; <see langword="null"/> if it is not valid.</summary>
    public static CertificateIdentifier? Parse(string name)
        => DomainNameRules.Check(name, OnDemandSubject.AnyChallenge, onlyPublicAuthorities: false) is { IsSuccess: true } result
            && result.Identifier.Value == name
                ? result.Identifier
                : null;
}
