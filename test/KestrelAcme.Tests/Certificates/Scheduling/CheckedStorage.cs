using KestrelAcme.Storage;

namespace KestrelAcme.Tests.Certificates.Scheduling;

/// <summary>A store that counts how often it is checked, and can be made to fail the check.</summary>
internal sealed class CheckedStorage(IAcmeStorage inner) : IAcmeStorage
{
    private int _count;

    public bool Responds { get; set; } = true;

    public int Count => Volatile.Read(ref _count);

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

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.WatchAsync(prefix, cancellationToken);

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => inner.TryAcquireLeaseAsync(name, duration, cancellationToken);

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _count);
        return Responds ? inner.CheckAsync(cancellationToken) : throw new StorageUnavailableException("It does not respond.");
    }
}
