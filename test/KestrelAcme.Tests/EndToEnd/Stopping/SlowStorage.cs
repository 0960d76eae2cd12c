using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Tests.EndToEnd.Stopping;

/// <summary>A store that takes its time for each value.</summary>
internal sealed class SlowStorage(IAcmeStorage inner, TimeSpan pause) : DelegatingStorage(inner)
{
    private int _reads;

    public int Reads => Volatile.Read(ref _reads);

    public override async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _reads);
        await Task.Delay(pause, TimeProvider.System, cancellationToken);
        return await base.ReadAsync(key, cancellationToken);
    }

    public override IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        => ReadOneByOneAsync(keys, cancellationToken);
}
