using KestrelAcme.Storage;

namespace KestrelAcme.Tests.Storage;

/// <summary>A store that returns one lease and supports nothing else.</summary>
internal sealed class LeasingStorage(IStorageLease lease) : IAcmeStorage
{
    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public IAsyncEnumerable<StorageEntry> ReadManyAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => new(lease);

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();
}
