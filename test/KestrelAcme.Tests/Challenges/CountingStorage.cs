using System.Runtime.CompilerServices;
using KestrelAcme.Storage;

namespace KestrelAcme.Tests.Challenges;

/// <summary>Counts what is asked of a store, and can fail all of it, or only its notifications.</summary>
internal sealed class CountingStorage(IAcmeStorage inner) : IAcmeStorage
{
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

    public int Writes => Volatile.Read(ref _writes);

    public int Leases => Volatile.Read(ref _leases);

    public int All => Reads + Lists + Writes + Leases;

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        Count(ref _reads, key);
        return inner.ReadAsync(key, cancellationToken);
    }

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var key in keys)
        {
            if (await ReadAsync(key, cancellationToken) is { } value)
            {
                yield return new(key, value);
            }
        }
    }

    public ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        Count(ref _writes, key);
        return inner.WriteAsync(key, value, lease, cancellationToken);
    }

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        Count(ref _writes, key);
        return inner.DeleteAsync(key, lease, cancellationToken);
    }

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
    {
        Count(ref _lists, prefix);
        return inner.ListAsync(prefix, cancellationToken);
    }

    public async IAsyncEnumerable<StorageChange> WatchAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var change in inner.WatchAsync(prefix, cancellationToken))
        {
            yield return change;
        }
    }

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        Count(ref _leases, name);
        return inner.TryAcquireLeaseAsync(name, duration, cancellationToken);
    }

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => inner.CheckAsync(cancellationToken);

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
