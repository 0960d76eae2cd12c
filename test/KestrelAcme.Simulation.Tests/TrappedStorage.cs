using System.Runtime.CompilerServices;
using KestrelAcme.Storage;

namespace KestrelAcme.Simulation.Tests;

/// <summary>A store that never answers a question about a hostile name.</summary>
internal sealed class TrappedStorage(IAcmeStorage store, Trap trap) : IAcmeStorage
{
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        await PassAsync(key, cancellationToken);
        return await store.ReadAsync(key, cancellationToken);
    }

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var key in keys)
        {
            if (await ReadAsync(key, cancellationToken) is { } value)
            {
                yield return new StorageEntry(key, value);
            }
        }
    }

    public async ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        await PassAsync(key, cancellationToken);
        await store.WriteAsync(key, value, lease, cancellationToken);
    }

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => store.DeleteAsync(key, lease, cancellationToken);

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => store.ListAsync(prefix, cancellationToken);

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => store.WatchAsync(prefix, cancellationToken);

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => store.TryAcquireLeaseAsync(name, duration, cancellationToken);

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => store.CheckAsync(cancellationToken);

    private async Task PassAsync(string key, CancellationToken cancellationToken)
    {
        if (trap is { IsSet: true, StoreHangs: true } && Trap.IsHostile(key))
        {
            trap.Fall();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
    }
}
