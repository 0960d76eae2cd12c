using System.Runtime.CompilerServices;
using KestrelAcme.Storage;

namespace KestrelAcme.Testing;

/// <summary>A store that passes everything on to another one. A test's store overrides what it is about.</summary>
/// <param name="inner">The other store; <see langword="null"/> for a store that supports only what it overrides.</param>
public abstract class DelegatingStorage(IAcmeStorage? inner = null) : IAcmeStorage
{
    /// <inheritdoc/>
    public virtual TimeSpan WatchDelay => inner?.WatchDelay ?? TimeSpan.Zero;

    /// <summary>The other store, asked for with each call.</summary>
    protected virtual IAcmeStorage Inner => inner ?? throw new NotSupportedException();

    /// <inheritdoc/>
    public virtual ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
        => Inner.ReadAsync(key, cancellationToken);

    /// <inheritdoc/>
    public virtual IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        => Inner.ReadManyAsync(keys, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => Inner.WriteAsync(key, value, lease, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => Inner.DeleteAsync(key, lease, cancellationToken);

    /// <inheritdoc/>
    public virtual IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => Inner.ListAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public virtual IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => Inner.WatchAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => Inner.TryAcquireLeaseAsync(name, duration, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
        => Inner.CheckAsync(cancellationToken);

    /// <summary>Reads many values with <see cref="ReadAsync"/>, so that what a store does to one, it does to each of many.</summary>
    protected async IAsyncEnumerable<StorageEntry> ReadOneByOneAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var key in keys)
        {
            if (await ReadAsync(key, cancellationToken) is { } value)
            {
                yield return new(key, value);
            }
        }
    }
}
