using System.Runtime.CompilerServices;
using Azure.Storage.Blobs;
using KestrelAcme.Storage;

namespace KestrelAcme.Azure.Storage.Blobs;

/// <summary>
/// Stores one blob per value in a container. How leases and writes under them work: see <see cref="BlobLeases"/> and
/// <see cref="BlobValues"/>. Thread-safe.
/// </summary>
internal sealed class AzureBlobStorage : IAcmeStorage, IDisposable, IAsyncDisposable
{
    private const int ParallelReads = 32;

    private readonly BlobContainer _container;
    private readonly BlobValues _values;
    private readonly BlobLeases _leases;
    private readonly ChangeLog _changes;
    private readonly TimeSpan _pollInterval;

    /// <param name="client">The container.</param>
    /// <param name="options">Valid options.</param>
    /// <param name="secrets">What must never be quoted, such as the account's key.</param>
    /// <param name="time">The clock: only its timestamps and timers are used, never the date.</param>
    public AzureBlobStorage(BlobContainerClient client, AzureBlobStorageOptions options, IEnumerable<string?> secrets, TimeProvider time)
    {
        _container = new(client, options, secrets);
        _values = new(_container, time);
        _leases = new(_container, _values, time);
        _pollInterval = options.PollInterval;
        _changes = new(_container, _pollInterval, time);
    }

    public string Place => _container.Place;

    public TimeSpan WatchDelay => _pollInterval;

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        return _values.ReadAsync(key, cancellationToken);
    }

    public IAsyncEnumerable<StorageEntry> ReadManyAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        => ReadManyAsync(keys, ParallelReads, ReadAsync, cancellationToken);

    public async ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => await WriteAsync(key, value, lease, exchange: false, cancellationToken);

    public async ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => await DeleteAsync(key, lease, exchange: false, cancellationToken) is not null;

    /// <summary>Writes a value, and returns the one that it replaced if <paramref name="exchange"/> is set.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease, bool exchange, CancellationToken cancellationToken)
    {
        StorageKey.ThrowIfInvalid(key);
        StorageKey.ThrowIfTooLong(value);
        var replaced = await _values.WriteAsync(key, value, Own(lease), exchange, cancellationToken);
        await _changes.AnnounceAsync(key, cancellationToken);
        return replaced;
    }

    /// <summary>Deletes a value, and returns it if <paramref name="exchange"/> is set; <see langword="null"/> if it was missing.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> DeleteAsync(
        string key, IStorageLease? lease, bool exchange, CancellationToken cancellationToken)
    {
        StorageKey.ThrowIfInvalid(key);
        var deleted = await _values.DeleteAsync(key, Own(lease), exchange, cancellationToken);
        if (deleted is not null)
        {
            await _changes.AnnounceAsync(key, cancellationToken);
        }

        return deleted;
    }

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalidPrefix(prefix);
        return _values.ListAsync(prefix, cancellationToken);
    }

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalidPrefix(prefix);
        return _changes.WatchAsync(prefix, cancellationToken);
    }

    public async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        StorageLease.ThrowIfInvalid(name, duration);
        var lease = await _leases.TryAcquireAsync(name, duration, cancellationToken);
        if (lease is null)
        {
            // What another holder does is about to be seen. What this instance changes itself, it need not look for.
            _changes.NoteRefused(name);
        }

        return lease;
    }

    public async ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
    {
        var readable = false;
        try
        {
            var name = $"check/{Guid.NewGuid():N}";
            await _container.SendAsync("a test read", async token => await _container.Blob(name).ExistsAsync(token), cancellationToken);
            readable = true;
            await _container.SendAsync(
                "a test write",
                async token => await _container.Blob(name).UploadAsync(BinaryData.FromBytes("check"u8.ToArray()), overwrite: true, token),
                cancellationToken);
            await _container.SendAsync(
                "a test deletion",
                async token => await _container.Blob(name).DeleteIfExistsAsync(cancellationToken: token),
                cancellationToken);
            return new(Readable: true, Writable: true, Durable: true, Place, _changes.Failure);
        }
        catch (StorageUnavailableException exception)
        {
            return new(readable, Writable: false, Durable: true, Place, exception.Message);
        }
    }

    public void Dispose() => _changes.Dispose();

    public ValueTask DisposeAsync() => _changes.DisposeAsync();

    /// <summary>Reads values in parallel, in batches.</summary>
    internal static async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys,
        int parallel,
        Func<string, CancellationToken, ValueTask<ReadOnlyMemory<byte>?>> read,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        foreach (var batch in keys.Chunk(parallel))
        {
            var values = await Task.WhenAll(batch.Select(key => read(key, cancellationToken).AsTask()));
            foreach (var (key, value) in batch.Zip(values))
            {
                if (value is { } found)
                {
                    yield return new(key, found);
                }
            }
        }
    }

    /// <summary>Returns the lease as one of this kind of store.</summary>
    /// <exception cref="ArgumentException">It is from another kind of store.</exception>
    internal static BlobLease? Own(IStorageLease? lease) => lease switch
    {
        null => null,
        BlobLease own => own,
        _ => throw new ArgumentException($"The lease '{lease.Name}' is from another store. Acquire it from this one.", nameof(lease)),
    };
}
