using System.Runtime.CompilerServices;
using KestrelAcme.Storage;

namespace KestrelAcme.Tests.Challenges;

/// <summary>A store without notifications: what others have changed is reported once in an interval.</summary>
internal sealed class PollingStorage(IAcmeStorage inner, TimeSpan interval, TimeProvider time) : IAcmeStorage
{
    public TimeSpan WatchDelay => interval;

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
        => inner.ReadAsync(key, cancellationToken);

    public IAsyncEnumerable<StorageEntry> ReadManyAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        => inner.ReadManyAsync(keys, cancellationToken);

    public ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => inner.WriteAsync(key, value, lease, cancellationToken);

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => inner.DeleteAsync(key, lease, cancellationToken);

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.ListAsync(prefix, cancellationToken);

    public async IAsyncEnumerable<StorageChange> WatchAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var last = time.GetTimestamp();
        var isFirst = true;
        await foreach (var change in inner.WatchAsync(prefix, cancellationToken))
        {
            if (!isFirst && time.GetElapsedTime(last) < interval)
            {
                await Task.Delay(interval - time.GetElapsedTime(last), time, cancellationToken);
                last = time.GetTimestamp();
            }

            isFirst = false;
            yield return change;
        }
    }

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => inner.TryAcquireLeaseAsync(name, duration, cancellationToken);

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => inner.CheckAsync(cancellationToken);
}
