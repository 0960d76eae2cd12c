using System.Runtime.CompilerServices;
using KestrelAcme.Storage;

namespace KestrelAcme.Simulation.Tests;

/// <summary>What a store was asked for: operations by kind, values in batches, and bytes of values.</summary>
internal sealed record StorageCounts
{
    public long Reads { get; set; }

    public long BatchReads { get; set; }

    public long BatchValues { get; set; }

    public long Writes { get; set; }

    public long Deletes { get; set; }

    public long Lists { get; set; }

    public long Leases { get; set; }

    /// <summary>Attempts to take a lease that another holder has.</summary>
    public long LeasesRefused { get; set; }

    public long Checks { get; set; }

    public long BytesRead { get; set; }

    public long BytesWritten { get; set; }

    /// <summary>Each batch counts as one operation, and a lease as two: it is released, too.</summary>
    public long Operations
        => Reads + BatchReads + Writes + Deletes + Lists + (2 * Leases) + LeasesRefused + Checks;
}

/// <summary>Counts what a store is asked for.</summary>
internal sealed class CountingStorage(IAcmeStorage inner) : IAcmeStorage
{
    private StorageCounts _counts = new();

    /// <summary>The folders in which something was written since it was cleared.</summary>
    public HashSet<string> Written { get; } = new(StringComparer.Ordinal);

    /// <summary>Returns what was counted since the last call.</summary>
    public StorageCounts Take()
    {
        var counts = _counts;
        _counts = new();
        return counts;
    }

    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        _counts.Reads++;
        var value = await inner.ReadAsync(key, cancellationToken);
        _counts.BytesRead += value?.Length ?? 0;
        return value;
    }

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        _counts.BatchReads++;
        await foreach (var entry in inner.ReadManyAsync(keys, cancellationToken))
        {
            _counts.BatchValues++;
            _counts.BytesRead += entry.Value.Length;
            yield return entry;
        }
    }

    public ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        _counts.Writes++;
        Written.Add(key[..key.IndexOf('/', StringComparison.Ordinal)]);
        _counts.BytesWritten += value.Length;
        return inner.WriteAsync(key, value, lease, cancellationToken);
    }

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        _counts.Deletes++;
        return inner.DeleteAsync(key, lease, cancellationToken);
    }

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
    {
        _counts.Lists++;
        return inner.ListAsync(prefix, cancellationToken);
    }

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.WatchAsync(prefix, cancellationToken);

    public async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        var lease = await inner.TryAcquireLeaseAsync(name, duration, cancellationToken);
        if (lease is null)
        {
            _counts.LeasesRefused++;
        }
        else
        {
            _counts.Leases++;
        }

        return lease;
    }

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
    {
        _counts.Checks++;
        return inner.CheckAsync(cancellationToken);
    }
}
