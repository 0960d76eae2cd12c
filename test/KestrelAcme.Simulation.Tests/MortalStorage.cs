using System.Runtime.CompilerServices;
using KestrelAcme.Storage;

namespace KestrelAcme.Simulation.Tests;

/// <summary>A process's access to a store that outlives it.</summary>
internal sealed class MortalStorage(IAcmeStorage storage, Lifeline life) : IAcmeStorage
{
    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
        => Living.ReadAsync(key, cancellationToken);

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var entry in Living.ReadManyAsync(keys, cancellationToken))
        {
            yield return entry;
        }
    }

    public ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => Living.WriteAsync(key, value, lease, cancellationToken);

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => Living.DeleteAsync(key, lease, cancellationToken);

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => Living.ListAsync(prefix, cancellationToken);

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => Living.WatchAsync(prefix, cancellationToken);

    public async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => await Living.TryAcquireLeaseAsync(name, duration, cancellationToken);

    public async ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
        => await Living.CheckAsync(cancellationToken) with { Durable = true };

    private IAcmeStorage Living
    {
        get
        {
            life.Step();
            return storage;
        }
    }
}
