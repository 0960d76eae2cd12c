using System.Runtime.CompilerServices;
using System.Text.Json;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>
/// Notes in the store which records exist and which instances need them. A note is written before its record is created, and removed after
/// it was deleted.
/// </summary>
internal sealed class RecordJournal(
    BoundedStorage storage, RecordOwner owner, TimeProvider time, ILogger<RecordJournal> logger)
{
    private readonly BoundedStorage _storage = storage.Within(RecordKeys.StoreTimeout);

    public async Task AddAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        try
        {
            await owner.HoldAsync(cancellationToken);
            var entry = RecordEntry.Of(record, time.GetUtcNow());
            var value = JsonSerializer.SerializeToUtf8Bytes(entry, RecordJsonContext.Default.RecordEntry);
            await _storage.WriteAsync(RecordKeys.Entry(record, owner.Id), value, lease: null, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            // The challenge works without the note; only a crash would leave the record behind.
            logger.DnsRecordNotNoted(record.Name, exception.Message);
        }
    }

    /// <summary>
    /// Notes that the record is no longer needed but may still exist. The note gets the name of an owner that never existed, so that the
    /// next sweep of any instance deletes the record.
    /// </summary>
    public async Task AbandonAsync(DnsTxtRecord record)
    {
        try
        {
            // The caller's token may be canceled already. The store has a timeout of its own.
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

    public Task RemoveAsync(DnsTxtRecord record, CancellationToken cancellationToken)
        => RemoveAsync(RecordKeys.Entry(record, owner.Id), cancellationToken);

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

    /// <summary>Whether another instance, alive or dead, has noted that it needs the same value.</summary>
    public Task<bool> IsNeededBesidesAsync(DnsTxtRecord record, string ownerId, CancellationToken cancellationToken)
        => AnyOtherAsync(record, ownerId, _ => Task.FromResult(true), cancellationToken);

    /// <summary>
    /// Whether another instance that is alive needs the same value. Removes the notes of dead ones, because an instance that resumes an
    /// order cleans up for the one that placed it.
    /// </summary>
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

    /// <summary>Returns the notes of other instances, alive or dead. A note that cannot be read is logged and left out.</summary>
    /// <exception cref="StorageUnavailableException">The store itself cannot be read.</exception>
    public async IAsyncEnumerable<(string Key, RecordEntry Entry)> ReadOthersAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var keys = new List<string>();
        await foreach (var key in _storage.ListAsync(RecordKeys.RecordsPrefix, cancellationToken))
        {
            if (RecordKeys.OwnerOf(key) != owner.Id && !StorageDamage.IsSetAside(key))
            {
                keys.Add(key);
            }
        }

        var entries = TolerantReader.ReadManyAsync(
            _storage, keys, (unread, reason) => logger.ValueUnreadable(unread, reason), logger, cancellationToken);
        await foreach (var (key, value) in entries)
        {
            if (await ReadAsync(key, value, cancellationToken) is { } entry)
            {
                yield return (key, entry);
            }
        }
    }

    private async Task<bool> AnyOtherAsync(
        DnsTxtRecord record, string ownerId, Func<string, Task<bool>> counts, CancellationToken cancellationToken)
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
            // Without the store, no other instance can have taken part in this challenge.
        }

        return false;
    }

    private async Task<RecordEntry?> ReadAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        try
        {
            var entry = JsonSerializer.Deserialize(value.Span, RecordJsonContext.Default.RecordEntry)
                ?? throw new JsonException("It is null.");

            // Records are deleted because a note says so. A note that this class cannot have written is ignored.
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
