using System.Runtime.CompilerServices;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage;

/// <summary>Reads many values so that one that cannot be read keeps none of the others back: where a read of many fails, they are read one by one.</summary>
internal static class TolerantReader
{
    /// <summary>How many values are read at once: enough that a remote store's round trips do not count, and few enough that who waits for one of them does not wait long.</summary>
    public const int BatchSize = 64;

    // After as many failures in a row it is looked whether the store can be asked at all: an outage is not to be waited out once per key.
    private const int MaxFailuresInARow = 16;

    /// <summary>Reads values; a key that does not exist is left out, one that cannot be read is reported.</summary>
    /// <param name="storage">The store.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="failed">Told the key and the reason where a value could not be read.</param>
    /// <param name="logger">Where the failure of a whole batch goes.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="StorageUnavailableException">The store cannot be asked at all.</exception>
    public static async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IAcmeStorage storage,
        IReadOnlyCollection<string> keys,
        Action<string, string> failed,
        ILogger logger,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var batch in keys.Chunk(BatchSize))
        {
            foreach (var entry in await TryReadAtOnceAsync(storage, batch, logger, cancellationToken) ?? await ReadOneByOneAsync(storage, batch, failed, cancellationToken))
            {
                yield return entry;
            }
        }
    }

    private static async Task<List<StorageEntry>?> TryReadAtOnceAsync(IAcmeStorage storage, string[] keys, ILogger logger, CancellationToken cancellationToken)
    {
        var entries = new List<StorageEntry>(keys.Length);
        try
        {
            await foreach (var entry in storage.ReadManyAsync(keys, cancellationToken))
            {
                entries.Add(entry);
            }

            return entries;
        }
        catch (StorageUnavailableException exception)
        {
            logger.BatchNotRead(keys.Length, exception.Message);
            return null;
        }
    }

    private static async Task<List<StorageEntry>> ReadOneByOneAsync(IAcmeStorage storage, string[] keys, Action<string, string> failed, CancellationToken cancellationToken)
    {
        var entries = new List<StorageEntry>(keys.Length);
        var failures = 0;
        foreach (var key in keys)
        {
            try
            {
                if (await storage.ReadAsync(key, cancellationToken) is { } value)
                {
                    entries.Add(new(key, value));
                }

                failures = 0;
            }
            catch (StorageUnavailableException exception)
            {
                if (++failures % MaxFailuresInARow == 0 && !(await storage.CheckAsync(cancellationToken)).Readable)
                {
                    throw;
                }

                failed(key, exception.Message);
            }
        }

        return entries;
    }
}
