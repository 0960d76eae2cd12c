using System.Runtime.CompilerServices;
using KestrelAcme.Storage;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>
/// A store that can be asked for some keys only, and written at some only. A read of many keys fails whole where it comes to a bad one, as
/// a database does.
/// </summary>
internal sealed class FailingStorage(IAcmeStorage inner) : IAcmeStorage
{
    /// <summary>Which keys cannot be read.</summary>
    public Func<string, bool> Unreadable { get; set; } = static _ => false;

    /// <summary>Which keys cannot be written or deleted, and which leases cannot be had.</summary>
    public Func<string, bool> Unwritable { get; set; } = static _ => false;

    /// <summary>What is thrown where something cannot be had.</summary>
    public Func<string, Exception> Failure { get; init; } = static key => new StorageUnavailableException($"'{key}' cannot be had.");

    /// <summary>Whether changes are told to those that watch.</summary>
    public bool TellsChanges { get; init; } = true;

    /// <summary>Runs before a lease is asked for.</summary>
    public Func<string, Task> BeforeLease { get; init; } = static _ => Task.CompletedTask;

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        ThrowIf(Unreadable, key);
        return inner.ReadAsync(key, cancellationToken);
    }

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var key in keys)
        {
            if (await ReadAsync(key, cancellationToken) is { } value)
            {
                yield return new(key, value);
            }
        }
    }

    public ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        ThrowIf(Unwritable, key);
        return inner.WriteAsync(key, value, lease, cancellationToken);
    }

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        ThrowIf(Unwritable, key);
        return inner.DeleteAsync(key, lease, cancellationToken);
    }

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.ListAsync(prefix, cancellationToken);

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => TellsChanges ? inner.WatchAsync(prefix, cancellationToken) : NothingAsync(cancellationToken);

    public async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        await BeforeLease(name);
        ThrowIf(Unwritable, name);
        return await inner.TryAcquireLeaseAsync(name, duration, cancellationToken);
    }

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => inner.CheckAsync(cancellationToken);

    private static async IAsyncEnumerable<StorageChange> NothingAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        yield break;
    }

    private void ThrowIf(Func<string, bool> fails, string key)
    {
        if (fails(key))
        {
            throw Failure(key);
        }
    }
}
