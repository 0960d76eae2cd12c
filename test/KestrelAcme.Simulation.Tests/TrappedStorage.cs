using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Simulation.Tests;

/// <summary>A store that never answers a question about a hostile name.</summary>
internal sealed class TrappedStorage(IAcmeStorage store, Trap trap) : DelegatingStorage(store)
{
    public override async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        await PassAsync(key, cancellationToken);
        return await base.ReadAsync(key, cancellationToken);
    }

    public override IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        => ReadOneByOneAsync(keys, cancellationToken);

    public override async ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        await PassAsync(key, cancellationToken);
        await base.WriteAsync(key, value, lease, cancellationToken);
    }

    private async Task PassAsync(string key, CancellationToken cancellationToken)
    {
        if (trap is { IsSet: true, StoreHangs: true } && Trap.IsHostile(key))
        {
            trap.Fall();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
    }
}
