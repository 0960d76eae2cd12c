using System.Runtime.CompilerServices;
using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>
/// A store that can be asked for some keys only, and written at some only. A read of many keys fails whole where it comes to a bad one, as
/// a database does.
/// </summary>
internal sealed class FailingStorage(IAcmeStorage inner) : DelegatingStorage(inner)
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

    public override ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        ThrowIf(Unreadable, key);
        return base.ReadAsync(key, cancellationToken);
    }

    public override IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        => ReadOneByOneAsync(keys, cancellationToken);

    public override ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        ThrowIf(Unwritable, key);
        return base.WriteAsync(key, value, lease, cancellationToken);
    }

    public override ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        ThrowIf(Unwritable, key);
        return base.DeleteAsync(key, lease, cancellationToken);
    }

    public override IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => TellsChanges ? base.WatchAsync(prefix, cancellationToken) : NothingAsync(cancellationToken);

    public override async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        await BeforeLease(name);
        ThrowIf(Unwritable, name);
        return await base.TryAcquireLeaseAsync(name, duration, cancellationToken);
    }

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
