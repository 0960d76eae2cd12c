using System.Runtime.CompilerServices;
using KestrelAcme.Storage;
using KestrelAcme.Testing;

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
internal sealed class CountingStorage(IAcmeStorage inner) : DelegatingStorage(inner)
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

    public override async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        _counts.Reads++;
        var value = await base.ReadAsync(key, cancellationToken);
        _counts.BytesRead += value?.Length ?? 0;
        return value;
    }

    public override async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        _counts.BatchReads++;
        await foreach (var entry in base.ReadManyAsync(keys, cancellationToken))
        {
            _counts.BatchValues++;
            _counts.BytesRead += entry.Value.Length;
            yield return entry;
        }
    }

    public override ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        _counts.Writes++;
        Written.Add(key[..key.IndexOf('/', StringComparison.Ordinal)]);
        _counts.BytesWritten += value.Length;
        return base.WriteAsync(key, value, lease, cancellationToken);
    }

    public override ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        _counts.Deletes++;
        return base.DeleteAsync(key, lease, cancellationToken);
    }

    public override IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
    {
        _counts.Lists++;
        return base.ListAsync(prefix, cancellationToken);
    }

    public override async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        var lease = await base.TryAcquireLeaseAsync(name, duration, cancellationToken);
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

    public override ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
    {
        _counts.Checks++;
        return base.CheckAsync(cancellationToken);
    }
}
