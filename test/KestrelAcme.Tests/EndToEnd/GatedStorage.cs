using System.Runtime.CompilerServices;
using KestrelAcme.Storage;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A store whose reads of many values wait until they are let through.</summary>
internal sealed class GatedStorage(IAcmeStorage inner) : IAcmeStorage
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _open.TrySetResult();

    /// <summary>Which reads of many values wait: all, unless it is told otherwise.</summary>
    public Func<IReadOnlyCollection<string>, bool> Holds { get; init; } = static keys => keys.Count > 1;

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
        => inner.ReadAsync(key, cancellationToken);

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Holds(keys))
        {
            await _open.Task.WaitAsync(cancellationToken);
        }

        await foreach (var entry in inner.ReadManyAsync(keys, cancellationToken))
        {
            yield return entry;
        }
    }

    public ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => inner.WriteAsync(key, value, lease, cancellationToken);

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => inner.DeleteAsync(key, lease, cancellationToken);

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.ListAsync(prefix, cancellationToken);

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.WatchAsync(prefix, cancellationToken);

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => inner.TryAcquireLeaseAsync(name, duration, cancellationToken);

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => inner.CheckAsync(cancellationToken);
}
