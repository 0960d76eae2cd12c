using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace KestrelAcme.Storage;

/// <summary>
/// A bounded queue of changes for one reader, for implementations of <see cref="IAcmeStorage.WatchAsync"/>. If it overflows, the reader
/// gets <see cref="StorageChange.Everything"/>.
/// </summary>
/// <remarks>Safe for concurrent use by any number of writers and one reader.</remarks>
public sealed class StorageChangeFeed
{
    private const int Capacity = 1024;

    private readonly Channel<StorageChange> _changes = Channel.CreateBounded<StorageChange>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private int _overflowed;

    /// <summary>Adds a change. Never waits.</summary>
    public void Post(StorageChange change)
    {
        if (!_changes.Writer.TryWrite(change))
        {
            // The queue is full, so the reader checks this flag when it takes the next item. If it has taken all of them meanwhile, there
            // is room for another one.
            Interlocked.Exchange(ref _overflowed, 1);
            _changes.Writer.TryWrite(change);
        }
    }

    /// <summary>Returns <see cref="StorageChange.Everything"/> first, and then the posted changes.</summary>
    public async IAsyncEnumerable<StorageChange> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        yield return StorageChange.Everything;
        await foreach (var change in _changes.Reader.ReadAllAsync(cancellationToken))
        {
            if (Interlocked.Exchange(ref _overflowed, 0) == 1)
            {
                yield return StorageChange.Everything;
            }

            yield return change;
        }
    }
}
