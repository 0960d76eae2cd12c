using System.Runtime.CompilerServices;
using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Tests.Storage.Bounded;

/// <summary>A store that responds when the test allows it, and ignores cancellation.</summary>
internal sealed class SilentStorage(IAcmeStorage inner) : DelegatingStorage(inner)
{
    private readonly TaskCompletionSource _answers = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Answer() => _answers.SetResult();

    public override async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        return await base.ReadAsync(key, CancellationToken.None);
    }

    public override async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        await foreach (var entry in base.ReadManyAsync(keys, CancellationToken.None))
        {
            yield return entry;
        }
    }

    public override async ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        await base.WriteAsync(key, value, lease, CancellationToken.None);
    }

    public override async ValueTask<bool> DeleteAsync(
        string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        return await base.DeleteAsync(key, lease, CancellationToken.None);
    }

    public override async IAsyncEnumerable<string> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        await foreach (var key in base.ListAsync(prefix, CancellationToken.None))
        {
            yield return key;
        }
    }

    public override async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        return await base.TryAcquireLeaseAsync(name, duration, CancellationToken.None);
    }

    public override async ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
    {
        await _answers.Task;
        return await base.CheckAsync(CancellationToken.None);
    }
}
