using System.Runtime.CompilerServices;
using KestrelAcme.Storage;

namespace KestrelAcme.Tests.Storage.Bounded;

/// <summary>A store that responds when the test allows it, and ignores cancellation.</summary>
internal sealed class SilentStorage(IAcmeStorage inner) : IAcmeStorage
{
    private readonly TaskCompletionSource _answers = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Answer() => _answers.SetResult();

    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        return await inner.ReadAsync(key, CancellationToken.None);
    }

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        await foreach (var entry in inner.ReadManyAsync(keys, CancellationToken.None))
        {
            yield return entry;
        }
    }

    public async ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        await inner.WriteAsync(key, value, lease, CancellationToken.None);
    }

    public async ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        return await inner.DeleteAsync(key, lease, CancellationToken.None);
    }

    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        await foreach (var key in inner.ListAsync(prefix, CancellationToken.None))
        {
            yield return key;
        }
    }

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.WatchAsync(prefix, cancellationToken);

    public async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        return await inner.TryAcquireLeaseAsync(name, duration, CancellationToken.None);
    }

    public async ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        return await inner.CheckAsync(CancellationToken.None);
    }
}
