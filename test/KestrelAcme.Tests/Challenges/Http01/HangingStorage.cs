using System.Runtime.CompilerServices;
using KestrelAcme.Storage;

namespace KestrelAcme.Tests.Challenges.Http01;

/// <summary>A store whose reads never finish.</summary>
internal sealed class HangingStorage : IAcmeStorage
{
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        return null;
    }

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        yield break;
    }

    public ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        yield break;
    }

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();
}
