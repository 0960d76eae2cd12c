using System.Collections.Concurrent;
using System.Text;
using KestrelAcme.Storage;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A store that notes what is read, and that can be made to refuse writes.</summary>
internal sealed class WatchedStorage(IAcmeStorage inner) : IAcmeStorage
{
    private readonly ConcurrentQueue<string> _reads = new();
    private readonly ConcurrentQueue<string> _written = new();

    public IReadOnlyCollection<string> Reads => _reads;

    /// <summary>What was written, as text.</summary>
    public IReadOnlyCollection<string> Written => _written;

    /// <summary>Tells by the key which writes fail.</summary>
    public Func<string, bool> Refuses { get; set; } = _ => false;

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        _reads.Enqueue(key);
        return inner.ReadAsync(key, cancellationToken);
    }

    public IAsyncEnumerable<StorageEntry> ReadManyAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        => inner.ReadManyAsync(keys, cancellationToken);

    public ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        ThrowIfRefused(key);
        _written.Enqueue(Encoding.UTF8.GetString(value.Span));
        return inner.WriteAsync(key, value, lease, cancellationToken);
    }

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        ThrowIfRefused(key);
        return inner.DeleteAsync(key, lease, cancellationToken);
    }

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.ListAsync(prefix, cancellationToken);

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.WatchAsync(prefix, cancellationToken);

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => inner.TryAcquireLeaseAsync(name, duration, cancellationToken);

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => inner.CheckAsync(cancellationToken);

    private void ThrowIfRefused(string key)
    {
        if (Refuses(key))
        {
            throw new StorageUnavailableException($"The disk is full: '{key}' was not written.");
        }
    }
}
