using System.Runtime.CompilerServices;
using KestrelAcme.Storage;

namespace KestrelAcme.Benchmarks.Idle;

/// <summary>A store that counts the values that are asked for: when nobody asks any more, what follows a start is over.</summary>
internal sealed class CountingStorage(IAcmeStorage inner) : IAcmeStorage
{
    private long _reads;

    public long Reads => Interlocked.Read(ref _reads);

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _reads);
        return inner.ReadAsync(key, cancellationToken);
    }

    public IAsyncEnumerable<StorageEntry> ReadManyAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        Interlocked.Add(ref _reads, keys.Count);
        return inner.ReadManyAsync(keys, cancellationToken);
    }

    public ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => inner.WriteAsync(key, value, lease, cancellationToken);

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => inner.DeleteAsync(key, lease, cancellationToken);

    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var key in inner.ListAsync(prefix, cancellationToken))
        {
            Interlocked.Increment(ref _reads);
            yield return key;
        }
    }

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.WatchAsync(prefix, cancellationToken);

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => inner.TryAcquireLeaseAsync(name, duration, cancellationToken);

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => inner.CheckAsync(cancellationToken);
}
