using System.Runtime.CompilerServices;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage;

/// <summary>
/// Reads many values so that one that cannot be read does not affect the others. If reading a batch fails, its values are read one by one.
/// </summary>
internal static class TolerantReader
{
    /// <summary>
    /// The number of values per batch: large enough that the round trips of a remote store do not matter, and small enough that a caller
    /// that needs one of them does not wait long.
    /// </summary>
    public const int BatchSize = 64;

    // After this many failures in a row the store itself is checked, so that an outage does not cost one timeout per key.
    private const int MaxFailuresInARow = 16;

    /// <summary>Reads values. A key that does not exist is left out; one that cannot be read is reported.</summary>
    /// <param name="storage">The store.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="failed">Called with the key and the reason if a value cannot be read.</param>
    /// <param name="logger">The logger for the failure of a whole batch.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="StorageUnavailableException">The store itself cannot be read.</exception>
    public static async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IAcmeStorage storage,
        IReadOnlyCollection<string> keys,
        Action<string, string> failed,
        ILogger logger,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var batch in keys.Chunk(BatchSize))
        {
            var entries = await TryReadAtOnceAsync(storage, batch, logger, cancellationToken)
                ?? await ReadOneByOneAsync(storage, batch, failed, cancellationToken);
            foreach (var entry in entries)
            {
                yield return entry;
            }
        }
    }

    private static async Task<List<StorageEntry>?> TryReadAtOnceAsync(
        IAcmeStorage storage, string[] keys, ILogger logger, CancellationToken cancellationToken)
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

    private static async Task<List<StorageEntry>> ReadOneByOneAsync(
        IAcmeStorage storage, string[] keys, Action<string, string> failed, CancellationToken cancellationToken)
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
