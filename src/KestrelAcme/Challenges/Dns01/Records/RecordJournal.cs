using System.Runtime.CompilerServices;
using System.Text.Json;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>Notes in the store which records exist and who needs them. A note is written before its record is created, and removed after it was deleted.</summary>
internal sealed class RecordJournal(BoundedStorage storage, RecordOwner owner, TimeProvider time, ILogger<RecordJournal> logger)
{
    private readonly BoundedStorage _storage = RecordStorage.Of(storage);

    public async Task AddAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        try
        {
            await owner.HoldAsync(cancellationToken);
            var value = JsonSerializer.SerializeToUtf8Bytes(RecordEntry.Of(record, time.GetUtcNow()), RecordJsonContext.Default.RecordEntry);
            await _storage.WriteAsync(RecordKeys.Entry(record, owner.Id), value, lease: null, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            // The challenge can be answered all the same; only a crash would leave the record behind.
            logger.DnsRecordNotNoted(record.Name, exception.Message);
        }
    }

    /// <summary>Notes that nobody needs the record any more, though it may exist: under the name of an owner that never lived, so that the next sweep of any instance takes it for stale.</summary>
    public async Task AbandonAsync(DnsTxtRecord record)
    {
        try
        {
            // Whoever was cancelled has no token left; the store bounds its own time.
            var entry = RecordEntry.Of(record, time.GetUtcNow()) with { IsAbandoned = true };
            var value = JsonSerializer.SerializeToUtf8Bytes(entry, RecordJsonContext.Default.RecordEntry);
            await _storage.WriteAsync(RecordKeys.Entry(record, Guid.NewGuid().ToString("N")), value, lease: null, CancellationToken.None);
            await _storage.DeleteAsync(RecordKeys.Entry(record, owner.Id), lease: null, CancellationToken.None);
        }
        catch (StorageUnavailableException exception)
        {
            logger.DnsRecordNoteKept(RecordKeys.Entry(record, owner.Id), exception.Message);
        }
    }

    public Task RemoveAsync(DnsTxtRecord record, CancellationToken cancellationToken) => RemoveAsync(RecordKeys.Entry(record, owner.Id), cancellationToken);

    public async Task RemoveAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            await _storage.DeleteAsync(key, lease: null, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            logger.DnsRecordNoteKept(key, exception.Message);
        }
    }

    /// <summary>Whether another instance, alive or dead, noted that it needs the same value.</summary>
    public Task<bool> IsNeededBesidesAsync(DnsTxtRecord record, string ownerId, CancellationToken cancellationToken)
        => AnyOtherAsync(record, ownerId, _ => Task.FromResult(true), cancellationToken);

    /// <summary>Whether another instance that lives needs the same value. The notes of dead ones are removed: whoever goes on with an order cleans up for those who began it.</summary>
    public Task<bool> IsNeededByOthersAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        return AnyOtherAsync(record, owner.Id, LivesAsync, cancellationToken);

        async Task<bool> LivesAsync(string key)
        {
            if (await owner.LivesAsync(RecordKeys.OwnerOf(key), cancellationToken))
            {
                return true;
            }

            await _storage.DeleteAsync(key, lease: null, cancellationToken);
            return false;
        }
    }

    /// <summary>The notes of other instances, alive or dead. One that cannot be read keeps none of the others back: it is logged and left out.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked at all.</exception>
    public async IAsyncEnumerable<(string Key, RecordEntry Entry)> ReadOthersAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var keys = new List<string>();
        await foreach (var key in _storage.ListAsync(RecordKeys.RecordsPrefix, cancellationToken))
        {
            if (RecordKeys.OwnerOf(key) != owner.Id && !StorageDamage.IsSetAside(key))
            {
                keys.Add(key);
            }
        }

        await foreach (var (key, value) in TolerantReader.ReadManyAsync(_storage, keys, (unread, reason) => logger.ValueUnreadable(unread, reason), logger, cancellationToken))
        {
            if (await ReadAsync(key, value, cancellationToken) is { } entry)
            {
                yield return (key, entry);
            }
        }
    }

    private async Task<bool> AnyOtherAsync(DnsTxtRecord record, string ownerId, Func<string, Task<bool>> counts, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var key in _storage.ListAsync(RecordKeys.Folder(record), cancellationToken))
            {
                if (RecordKeys.OwnerOf(key) != ownerId && !StorageDamage.IsSetAside(key) && await counts(key))
                {
                    return true;
                }
            }
        }
        catch (StorageUnavailableException)
        {
            // Without the store nobody else can have taken part in this challenge.
        }

        return false;
    }

    private async Task<RecordEntry?> ReadAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        try
        {
            var entry = JsonSerializer.Deserialize(value.Span, RecordJsonContext.Default.RecordEntry)
                ?? throw new JsonException("It is null.");

            // Records are deleted on the word of a note, so one that this journal cannot have written is not believed.
            return entry.WhyForeign(key) is { } reason ? throw new JsonException(reason) : entry;
        }
        catch (JsonException exception)
        {
            await SetAsideAsync(key, value, $"not the note of a DNS record: {exception.Message}", cancellationToken);
            return null;
        }
    }

    private async Task SetAsideAsync(string key, ReadOnlyMemory<byte> value, string reason, CancellationToken cancellationToken)
    {
        try
        {
            await StorageDamage.SetAsideAsync(_storage, key, value, reason, logger, lease: null, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            logger.DamageNotSetAside(key, reason, exception.Message);
        }
    }
}
