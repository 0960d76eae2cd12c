using System.Runtime.CompilerServices;
using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Benchmarks.Idle;

/// <summary>A store that counts the values that are asked for: when nobody asks any more, what follows a start is over.</summary>
internal sealed class CountingStorage(IAcmeStorage inner) : DelegatingStorage(inner)
{
    private long _reads;

    public long Reads => Interlocked.Read(ref _reads);

    public override ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _reads);
        return base.ReadAsync(key, cancellationToken);
    }

    public override IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        Interlocked.Add(ref _reads, keys.Count);
        return base.ReadManyAsync(keys, cancellationToken);
    }

    public override async IAsyncEnumerable<string> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var key in base.ListAsync(prefix, cancellationToken))
        {
            Interlocked.Increment(ref _reads);
            yield return key;
        }
    }
}
