using System.Text.Json;
using Azure;
using Azure.Storage.Blobs.Models;
using KestrelAcme.Storage;

namespace KestrelAcme.Azure.Storage.Blobs;

/// <summary>The content of a lease's blob.</summary>
/// <param name="Number">The fencing number of the last lease; 0 if there was none yet.</param>
/// <param name="Holder">A random text that only the holder knows; <see langword="null"/> if nobody holds the lease.</param>
/// <param name="Until">When the lease ends, by the server's clock, in seconds since 1970.</param>
/// <param name="Keys">The keys that a holder may be writing, or may have tried to write. See <see cref="BlobValues"/>.</param>
internal sealed record LeaseRecord(long Number, string? Holder, long Until, IReadOnlyList<string> Keys)
{
    // No lease can end later than this after now, unless the server's clock was wrong when it was granted.
    private static readonly TimeSpan Longest = StorageLease.MaxDuration + TimeSpan.FromMinutes(5);

    /// <summary>Whether others can acquire the lease. The holder assumes so a little earlier.</summary>
    public bool IsFree(DateTimeOffset now)
        => Holder is null || now.ToUnixTimeSeconds() >= Until || Until > (now + Longest).ToUnixTimeSeconds();

    /// <summary>
    /// The end of a lease that is granted now. The server's clock is known in whole seconds, so that one second is added: the lease is
    /// never shorter than its duration.
    /// </summary>
    public static long EndOf(DateTimeOffset now, TimeSpan duration)
        => now.ToUnixTimeSeconds() + 1 + (long)Math.Ceiling(duration.TotalSeconds);
}

/// <summary>A lease's blob as it was read.</summary>
/// <param name="Record">Its content.</param>
/// <param name="Tag">Its version.</param>
/// <param name="Now">The server's clock at that moment.</param>
/// <param name="Modified">When it was last written, by the same clock.</param>
internal sealed record StoredLease(LeaseRecord Record, ETag Tag, DateTimeOffset Now, DateTimeOffset Modified);

/// <summary>The blobs of leases. Each change depends on the version that was read. Thread-safe.</summary>
internal sealed class LeaseRecords(BlobContainer container)
{
    public Task<StoredLease?> ReadAsync(string name, CancellationToken cancellationToken) => container.SendAsync(
        $"reading the lease '{name}'",
        async token =>
        {
            try
            {
                var answer = await container.Blob(BlobNames.Lease(name)).DownloadContentAsync(token);
                var record = JsonSerializer.Deserialize(answer.Value.Content.ToMemory().Span, StorageJsonContext.Default.LeaseRecord);
                var details = answer.Value.Details;
                return record is { Keys: not null }
                    ? new StoredLease(record, details.ETag, container.DateOf(answer.GetRawResponse()), details.LastModified)
                    : throw new JsonException();
            }
            catch (RequestFailedException exception) when (BlobContainer.IsMissing(exception))
            {
                return null;
            }
            catch (JsonException)
            {
                throw new StorageUnavailableException(
                    $"{container.Place}: the blob '{BlobNames.Lease(name)}' is not a lease; something else has written it. Delete it.");
            }
        },
        cancellationToken);

    /// <summary>Replaces a record, or creates it if <paramref name="tag"/> is <see langword="null"/>.</summary>
    /// <returns>The new version; <see langword="null"/> if somebody else has changed the record.</returns>
    public Task<ETag?> TryWriteAsync(string name, LeaseRecord record, ETag? tag, CancellationToken cancellationToken)
        => container.SendAsync(
            $"writing the lease '{name}'",
            async token =>
            {
                var content = BinaryData.FromBytes(JsonSerializer.SerializeToUtf8Bytes(record, StorageJsonContext.Default.LeaseRecord));
                var conditions = tag is { } known ? new BlobRequestConditions { IfMatch = known } : new() { IfNoneMatch = ETag.All };
                try
                {
                    var options = new BlobUploadOptions { Conditions = conditions };
                    return (ETag?)(await container.Blob(BlobNames.Lease(name)).UploadAsync(content, options, token)).Value.ETag;
                }
                catch (RequestFailedException exception) when (BlobContainer.IsConflict(exception) || BlobContainer.IsMissing(exception))
                {
                    return null;
                }
            },
            cancellationToken);
}
