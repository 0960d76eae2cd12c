using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs.Models;
using KestrelAcme.Storage;

namespace KestrelAcme.Azure.Storage.Blobs;

/// <summary>A value's blob as it was read.</summary>
/// <param name="Tag">Its version.</param>
/// <param name="Content">Its content, if it was read and is a value; <see langword="null"/> for a placeholder.</param>
/// <param name="IsPlaceholder">Whether a holder has only reserved the name, so that no value exists.</param>
internal sealed record StoredValue(ETag Tag, BinaryData? Content, bool IsPlaceholder);

/// <summary>The blobs of values: one for each key. Thread-safe.</summary>
/// <remarks>
/// <para>
/// A request can depend on the version of one blob only, so that a write cannot ask for the lease and the value at once. Still no write
/// of a stale holder takes effect once the next holder has its lease. A write under a lease has four steps:
/// </para>
/// <list type="number">
/// <item>Read the version of the value. If it does not exist, create an empty placeholder, so that there is a version.</item>
/// <item>Make sure that the lease's record names the key (a conditional write of the record), or that it already does and is still this
/// holder's (a read). Otherwise the lease is lost.</item>
/// <item>Write the value if its version is still that of step 1.</item>
/// <item>If it is not, start again.</item>
/// </list>
/// <para>
/// Whoever acquires the lease changes its record first (step 2 of the previous holder fails from now on), then gives each value that the
/// old record names a new version (<see cref="SealAsync"/>; a placeholder is deleted), and only then returns the lease. So, for a write
/// of the previous holder: if its step 2 came after the change of the record, it was refused. If its step 2 came before, the record
/// named the key, and the version of step 1 is older than the seal. If step 3 came before the seal, the write took effect before the
/// lease was given to the next holder, which reads it. If it came after, its version is gone, and it starts again and is refused.
/// This holds however long a holder, or a request on its way, is delayed between two steps.
/// </para>
/// <para>
/// A holder that releases its lease leaves only those keys in the record whose writes are under way or had no answer. Writes without a
/// lease depend on nothing, and make a write under a lease start again. What remains: somebody who deletes the lease's blob alone also
/// deletes the list of keys to be sealed.
/// </para>
/// </remarks>
internal sealed class BlobValues(BlobContainer container, TimeProvider time)
{
    private const int Attempts = 30;
    private const int PauseStep = 10;
    private const int MaxPause = 250;
    private const string Pending = "pending";
    private const string Sealed = "sealed";
    private const string Folder = "hdi_isfolder";

    private static readonly Dictionary<string, string> PendingMark = new() { [Pending] = "true" };

    /// <summary>Reads a value; <see langword="null"/> if it is missing.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken)
        => (await GetAsync(key, cancellationToken))?.Content?.ToMemory();

    /// <summary>Writes a value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="lease">The lease, or <see langword="null"/>.</param>
    /// <param name="exchange">Whether the replaced value is wanted.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The value that was replaced, if it is wanted and there was one.</returns>
    public async ValueTask<ReadOnlyMemory<byte>?> WriteAsync(
        string key, ReadOnlyMemory<byte> value, BlobLease? lease, bool exchange, CancellationToken cancellationToken)
    {
        if (lease is null && !exchange)
        {
            await TryPutAsync(key, value, new BlobRequestConditions(), null, cancellationToken);
            return null;
        }

        return await UnderAsync(
            lease,
            key,
            async () =>
            {
                var current = exchange ? await GetAsync(key, cancellationToken) : await LookAsync(key, cancellationToken);
                if (current is null && lease is not null)
                {
                    current = await TryReserveAsync(key, cancellationToken);
                    if (current is null)
                    {
                        return null;
                    }
                }

                return new Step(
                    async () =>
                    {
                        var condition = current is null
                            ? new BlobRequestConditions { IfNoneMatch = ETag.All }
                            : new BlobRequestConditions { IfMatch = current.Tag };
                        return await TryPutAsync(key, value, condition, null, cancellationToken) is not null;
                    },
                    current,
                    current?.Content?.ToMemory());
            },
            cancellationToken);
    }

    /// <summary>Deletes a value.</summary>
    /// <returns>The deleted value (empty if <paramref name="exchange"/> is not set); <see langword="null"/> if it was missing.</returns>
    public async ValueTask<ReadOnlyMemory<byte>?> DeleteAsync(
        string key, BlobLease? lease, bool exchange, CancellationToken cancellationToken) => await UnderAsync(
            lease,
            key,
            async () =>
            {
                var current = exchange ? await GetAsync(key, cancellationToken) : await LookAsync(key, cancellationToken);
                return current is null or { IsPlaceholder: true }
                    ? new Step(() => new(true), null, null)
                    : new Step(
                        () => TryDeleteAsync(key, current.Tag, cancellationToken), null, current.Content?.ToMemory() ?? default);
            },
            cancellationToken);

    /// <summary>
    /// Gives a value a new version, and removes a placeholder, so that no write that depends on an earlier version takes effect.
    /// </summary>
    public async ValueTask SealAsync(string key, long number, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            await PauseAsync(attempt, cancellationToken);
            if (await LookAsync(key, cancellationToken) is not { } current
                || (current.IsPlaceholder
                    ? await TryDeleteAsync(key, current.Tag, cancellationToken)
                    : await TryMarkAsync(key, current.Tag, number, cancellationToken)))
            {
                return;
            }
        }

        throw Busy(key);
    }

    /// <summary>Lists the keys below a prefix.</summary>
    public async IAsyncEnumerable<string> ListAsync(
        string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (name, metadata) in container.ListAsync(BlobNames.ValuePrefix(prefix), cancellationToken))
        {
            if (IsValue(metadata) && BlobNames.Key(name) is { } key && StorageKey.IsValid(key))
            {
                yield return key;
            }
        }
    }

    // The steps of a write: see the remarks.
    private async ValueTask<ReadOnlyMemory<byte>?> UnderAsync(
        BlobLease? lease, string key, Func<ValueTask<Step?>> read, CancellationToken cancellationToken)
    {
        if (lease is { IsOver: true })
        {
            throw new LeaseLostException(lease.Name);
        }

        bool? isCertain = null;
        lease?.Begin(key);
        try
        {
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                await PauseAsync(attempt, cancellationToken);
                if (await read() is not { } step)
                {
                    continue;
                }

                if (lease is not null && !await lease.ConfirmAsync(key, cancellationToken))
                {
                    lease.MarkLost();
                    if (step.Seen is { IsPlaceholder: true } placeholder)
                    {
                        await TryDeleteAsync(key, placeholder.Tag, cancellationToken);
                    }

                    throw new LeaseLostException(lease.Name);
                }

                isCertain = false;
                if (await step.TryChange())
                {
                    isCertain = true;
                    return step.Replaced;
                }

                isCertain = null;
            }
        }
        finally
        {
            lease?.End(key, isCertain);
        }

        throw Busy(key);
    }

    private Task<StoredValue?> GetAsync(string key, CancellationToken cancellationToken) => OrMissingAsync(
        $"reading '{key}'",
        async token =>
        {
            var answer = (await container.Blob(BlobNames.Value(key)).DownloadContentAsync(token)).Value;
            var isValue = IsValue(answer.Details.Metadata);
            return answer.Details.Metadata.ContainsKey(Folder)
                ? null
                : new StoredValue(answer.Details.ETag, isValue ? answer.Content : null, !isValue);
        },
        cancellationToken);

    private Task<StoredValue?> LookAsync(string key, CancellationToken cancellationToken) => OrMissingAsync(
        $"looking at '{key}'",
        async token =>
        {
            var properties = (await container.Blob(BlobNames.Value(key)).GetPropertiesAsync(cancellationToken: token)).Value;
            return properties.Metadata.ContainsKey(Folder)
                ? null
                : new StoredValue(properties.ETag, null, !IsValue(properties.Metadata));
        },
        cancellationToken);

    private async ValueTask<StoredValue?> TryReserveAsync(string key, CancellationToken cancellationToken)
    {
        var condition = new BlobRequestConditions { IfNoneMatch = ETag.All };
        var tag = await TryPutAsync(key, ReadOnlyMemory<byte>.Empty, condition, PendingMark, cancellationToken);
        return tag is { } made ? new StoredValue(made, null, true) : null;
    }

    private Task<ETag?> TryPutAsync(
        string key,
        ReadOnlyMemory<byte> value,
        BlobRequestConditions conditions,
        Dictionary<string, string>? metadata,
        CancellationToken cancellationToken) => OrMissingAsync<ETag?>(
            $"writing '{key}'",
            async token =>
            {
                var options = new BlobUploadOptions { Conditions = conditions, Metadata = metadata };
                return (await container.Blob(BlobNames.Value(key)).UploadAsync(BinaryData.FromBytes(value), options, token)).Value.ETag;
            },
            cancellationToken);

    private async ValueTask<bool> TryDeleteAsync(string key, ETag tag, CancellationToken cancellationToken) => await OrMissingAsync<bool?>(
        $"deleting '{key}'",
        async token =>
        {
            var conditions = new BlobRequestConditions { IfMatch = tag };
            await container.Blob(BlobNames.Value(key)).DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, conditions, token);
            return true;
        },
        cancellationToken) is true;

    private async ValueTask<bool> TryMarkAsync(string key, ETag tag, long number, CancellationToken cancellationToken)
        => await OrMissingAsync<bool?>(
            $"sealing '{key}'",
            async token =>
            {
                var mark = new Dictionary<string, string> { [Sealed] = $"{number}" };
                await container.Blob(BlobNames.Value(key)).SetMetadataAsync(mark, new BlobRequestConditions { IfMatch = tag }, token);
                return true;
            },
            cancellationToken) is true;

    // Null if the blob is missing or was changed in between.
    private Task<T?> OrMissingAsync<T>(string doing, Func<CancellationToken, Task<T?>> send, CancellationToken cancellationToken)
        => container.SendAsync(
            doing,
            async token =>
            {
                try
                {
                    return await send(token);
                }
                catch (RequestFailedException exception) when (BlobContainer.IsMissing(exception) || BlobContainer.IsConflict(exception))
                {
                    return default;
                }
            },
            cancellationToken);

    // Those who write one value at the same time would otherwise keep step with each other.
    private Task PauseAsync(int attempt, CancellationToken cancellationToken) => attempt == 0
        ? Task.CompletedTask
        : Task.Delay(
            TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(Math.Min(attempt * PauseStep, MaxPause))), time, cancellationToken);

    // Accounts with a hierarchical namespace list folders, too.
    private static bool IsValue(IDictionary<string, string>? metadata)
        => metadata is null || !(metadata.ContainsKey(Pending) || metadata.ContainsKey(Folder));

    private StorageUnavailableException Busy(string key) => new(
        $"{container.Place}: writing '{key}' failed: others have changed it during each of {Attempts} attempts. KestrelAcme tries again.");

    /// <summary>A change that depends on a version.</summary>
    /// <param name="TryChange">Sends it; false if the version has changed.</param>
    /// <param name="Seen">What was there.</param>
    /// <param name="Replaced">The value that it replaces.</param>
    private sealed record Step(Func<ValueTask<bool>> TryChange, StoredValue? Seen, ReadOnlyMemory<byte>? Replaced);
}
