using System.Text.Json;
using Azure.Security.KeyVault.Secrets;
using KestrelAcme.Azure.Storage.Blobs;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Azure.Storage.KeyVault;

/// <summary>Stores values as secrets of a key vault, and says in an index of blobs which secrets are current. Thread-safe.</summary>
/// <remarks>
/// <para>
/// A vault can neither replace a secret on a condition nor write several at once, so that it can hold no lease, and refuse no stale
/// holder. The index can: its blobs hold the names and versions of the secrets, its leases are those of <see cref="AzureBlobStorage"/>.
/// A write stores new secrets first, which nobody sees, then changes the blob under the lease, then deletes the old secrets. So a value is
/// replaced atomically however many secrets it needs, and whatever a stale holder writes to the vault is never read.
/// </para>
/// <para>
/// A crash between the first two steps, or a change whose answer was lost, can leave secrets that no blob names. They are never read, and
/// never deleted by guess: an index that was emptied by mistake must not take the private keys with it.
/// </para>
/// </remarks>
internal sealed class AzureKeyVaultStorage : IAcmeStorage, IDisposable, IAsyncDisposable
{
    private const int ParallelReads = 16;
    private const int ReadAttempts = 5;
    private static readonly TimeSpan ReadPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan CleanUpLimit = TimeSpan.FromSeconds(10);

    private readonly SecretVault _vault;
    private readonly AzureBlobStorage _index;
    private readonly TimeProvider _time;
    private volatile string? _cleanUpFailure;

    /// <param name="client">The vault.</param>
    /// <param name="index">The index, disposed with this storage.</param>
    /// <param name="secretNamePrefix">The start of the names of all secrets.</param>
    /// <param name="secrets">What must never be quoted.</param>
    /// <param name="time">The clock.</param>
    public AzureKeyVaultStorage(
        SecretClient client, AzureBlobStorage index, string secretNamePrefix, IEnumerable<string?> secrets, TimeProvider time)
    {
        _vault = new(client, secretNamePrefix, secrets);
        _index = index;
        _time = time;
    }

    public TimeSpan WatchDelay => _index.WatchDelay;

    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        ReadOnlyMemory<byte>? last = null;
        for (var attempt = 1; ; attempt++)
        {
            if (await _index.ReadAsync(key, cancellationToken) is not { } entry)
            {
                return null;
            }

            if (await _vault.ReadAsync(key, Parse(key, entry), cancellationToken) is { } value)
            {
                return value;
            }

            // Either the value was replaced between the two requests, or the vault does not yet see its newest secret everywhere.
            var isReplaced = last is { } before && !before.Span.SequenceEqual(entry.Span);
            if (attempt >= ReadAttempts && !isReplaced)
            {
                throw new StorageUnavailableException(
                    $"{_vault.Place}: the secret '{Parse(key, entry).NameOf(0)}' of '{key}' does not exist in the vault. If it was "
                    + "deleted, recover it (az keyvault secret recover), or delete the value's blob in the index to have it made anew.");
            }

            last = entry;
            if (!isReplaced)
            {
                await Task.Delay(ReadPause * (attempt - 1), _time, cancellationToken);
            }
        }
    }

    public IAsyncEnumerable<StorageEntry> ReadManyAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        => AzureBlobStorage.ReadManyAsync(keys, ParallelReads, ReadAsync, cancellationToken);

    public async ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        StorageKey.ThrowIfTooLong(value);
        if (AzureBlobStorage.Own(lease) is { IsOver: true } over)
        {
            // Saves making secrets that nobody will see.
            throw new LeaseLostException(over.Name);
        }

        var pointer = await _vault.SaveAsync(key, value, cancellationToken);
        var entry = JsonSerializer.SerializeToUtf8Bytes(pointer, StorageJsonContext.Default.SecretPointer);
        ReadOnlyMemory<byte>? replaced;
        try
        {
            replaced = await _index.WriteAsync(key, entry, lease, exchange: true, cancellationToken);
        }
        catch (LeaseLostException)
        {
            await DiscardRefusedAsync(key, pointer, entry);
            throw;
        }

        if (replaced is { } old)
        {
            await DiscardAsync(key, old);
        }
    }

    public async ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        if (await _index.DeleteAsync(key, lease, exchange: true, cancellationToken) is not { } deleted)
        {
            return false;
        }

        await DiscardAsync(key, deleted);
        return true;
    }

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => _index.ListAsync(prefix, cancellationToken);

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => _index.WatchAsync(prefix, cancellationToken);

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => _index.TryAcquireLeaseAsync(name, duration, cancellationToken);

    public async ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
    {
        var place = $"{_vault.Place}, index in {_index.Place}";
        var health = await _index.CheckAsync(cancellationToken);
        if (!health.Writable)
        {
            return health with { Place = place };
        }

        try
        {
            await _vault.CheckAsync(cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            // The test read comes first, but a value is of use only if both services work.
            return new(Readable: false, Writable: false, Durable: true, place, exception.Message);
        }

        return new(Readable: true, Writable: true, Durable: true, place, health.Explanation ?? _cleanUpFailure);
    }

    public void Dispose() => _index.Dispose();

    public ValueTask DisposeAsync() => _index.DisposeAsync();

    // The write was refused, but a lost answer may hide that it took effect before the lease was lost.
    private async Task DiscardRefusedAsync(string key, SecretPointer pointer, byte[] entry)
    {
        using var limit = new TimeLimit(CleanUpLimit, _time);
        try
        {
            if (await _index.ReadAsync(key, limit.Token) is not { } current || !current.Span.SequenceEqual(entry))
            {
                await _vault.DeleteAsync(key, pointer, limit.Token);
            }
        }
        catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
        {
            _cleanUpFailure = exception.Message;
        }
    }

    // The value is replaced; that its old secrets stay must not make the write fail.
    private async Task DiscardAsync(string key, ReadOnlyMemory<byte> old)
    {
        using var limit = new TimeLimit(CleanUpLimit, _time);
        try
        {
            await _vault.DeleteAsync(key, Parse(key, old), limit.Token);
            _cleanUpFailure = null;
        }
        catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
        {
            _cleanUpFailure = exception.Message;
        }
    }

    private SecretPointer Parse(string key, ReadOnlyMemory<byte> entry)
    {
        try
        {
            if (JsonSerializer.Deserialize(entry.Span, StorageJsonContext.Default.SecretPointer)
                is { Name: not null, Versions: not null } pointer)
            {
                return pointer;
            }
        }
        catch (JsonException)
        {
            // Told below.
        }

        throw new StorageUnavailableException(
            $"{_index.Place}: the blob of '{key}' does not name a secret; something else has written it. If a store in blobs alone used "
            + "this container, choose another container or prefix for the index; otherwise delete the blob.");
    }
}
