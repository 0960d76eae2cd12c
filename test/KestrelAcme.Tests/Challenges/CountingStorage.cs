using System.Collections.Concurrent;
using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Tests.Challenges;

/// <summary>Counts what is asked of a store, and can fail all of it, or only its notifications.</summary>
internal sealed class CountingStorage(IAcmeStorage inner) : DelegatingStorage(inner)
{
    private readonly ConcurrentDictionary<string, int> _listed = new(StringComparer.Ordinal);
    private int _reads;
    private int _lists;
    private int _writes;
    private int _leases;

    public bool Fails { get; set; }

    /// <summary>Which keys are counted.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The values that were read, each counted for itself.</summary>
    public int Reads => Volatile.Read(ref _reads);

    public int Lists => Volatile.Read(ref _lists);

    /// <summary>How often a prefix was listed.</summary>
    public int ListsOf(string prefix) => _listed.GetValueOrDefault(prefix);

    public int Writes => Volatile.Read(ref _writes);

    public int Leases => Volatile.Read(ref _leases);

    public int All => Reads + Lists + Writes + Leases;

    public override ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        Count(ref _reads, key);
        return base.ReadAsync(key, cancellationToken);
    }

    public override IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        => ReadOneByOneAsync(keys, cancellationToken);

    public override ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        Count(ref _writes, key);
        return base.WriteAsync(key, value, lease, cancellationToken);
    }

    public override ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        Count(ref _writes, key);
        return base.DeleteAsync(key, lease, cancellationToken);
    }

    public override IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
    {
        _listed.AddOrUpdate(prefix, 1, static (_, count) => count + 1);
        Count(ref _lists, prefix);
        return base.ListAsync(prefix, cancellationToken);
    }

    public override ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        Count(ref _leases, name);
        return base.TryAcquireLeaseAsync(name, duration, cancellationToken);
    }

    private void Count(ref int counter, string key)
    {
        if (key.StartsWith(Prefix, StringComparison.Ordinal))
        {
            Interlocked.Increment(ref counter);
        }

        if (Fails)
        {
            throw new StorageUnavailableException("away");
        }
    }
}
