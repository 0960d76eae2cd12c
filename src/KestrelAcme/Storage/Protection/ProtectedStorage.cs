using System.Runtime.CompilerServices;

namespace KestrelAcme.Storage.Protection;

/// <summary>
/// Wraps a store so that private keys are encrypted in it, whichever store it is. A value that cannot be decrypted is unavailable, never
/// missing. Is itself wrapped by <see cref="BoundedStorage"/>, whose timeout thus applies to the protectors, too.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ProtectedStorage(IAcmeStorage inner, KeyProtection protection) : IAcmeStorage, ILocalStorage
{
    public bool IsLocal => inner is ILocalStorage { IsLocal: true };

    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        if (await inner.ReadAsync(key, cancellationToken) is { } value)
        {
            return await protection.OpenAsync(key, value, cancellationToken);
        }

        // Missing. As an operand of ?:, null would become an empty value.
        return null;
    }

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var entry in inner.ReadManyAsync(keys, cancellationToken))
        {
            yield return new StorageEntry(entry.Key, await protection.OpenAsync(entry.Key, entry.Value, cancellationToken));
        }
    }

    public async ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        await inner.WriteAsync(key, await protection.SealAsync(key, value, cancellationToken), lease, cancellationToken);
        protection.Written(key);
    }

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        protection.Written(key);
        return inner.DeleteAsync(key, lease, cancellationToken);
    }

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.ListAsync(prefix, cancellationToken);

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.WatchAsync(prefix, cancellationToken);

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => inner.TryAcquireLeaseAsync(name, duration, cancellationToken);

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => inner.CheckAsync(cancellationToken);
}
