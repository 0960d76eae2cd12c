using System.Runtime.CompilerServices;
using KestrelAcme.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.EntityFrameworkCore;

/// <summary>Stores everything in one table of the app's database, for all instances that use it.</summary>
/// <remarks>
/// <para>
/// Each write and each deletion takes the next number of the row <c>counter</c>, which stays locked until the commit, so that numbers
/// become visible in order. A deleted key remains as a row without a value for a while, so that watches notice the deletion.
/// </para>
/// <para>Safe for concurrent use.</para>
/// </remarks>
internal sealed class DbContextStorage : IAcmeStorage, IAsyncDisposable, IDisposable
{
    private const int BatchSize = 100;

    private readonly DbContextDatabase _database;
    private readonly DbContextLeases _leases;
    private readonly SharedWatch _watch;

    public DbContextStorage(
        DbContextDatabase database, DbContextStorageOptions options, TimeProvider time, ILogger<DbContextStorage> logger)
    {
        _database = database;
        _leases = new(database, time, logger);
        _watch = new(
            new DbContextFollower(database, options, time).RunAsync,
            failure => failure as StorageUnavailableException ?? new(failure.GetType().Name),
            reason => logger.WatchLost(reason),
            () => logger.WatchRestored(_database.Place),
            time);
        WatchDelay = options.PollInterval;
    }

    /// <inheritdoc/>
    public TimeSpan WatchDelay { get; }

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        var id = AcmeHttpsEntry.OfValue(key);
        var value = await _database.RunAsync(
            $"reading '{key}'",
            (context, token) => context.Entries().Where(e => e.Key == id).Select(e => e.Value).SingleOrDefaultAsync(token),
            cancellationToken);
        return value is null ? default(ReadOnlyMemory<byte>?) : value;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        foreach (var key in keys)
        {
            StorageKey.ThrowIfInvalid(key);
        }

        foreach (var batch in keys.Select(AcmeHttpsEntry.OfValue).Chunk(BatchSize))
        {
            // Each batch is read to its end, so that a slow reader keeps no connection.
            var rows = await _database.RunAsync(
                $"reading {batch.Length} values",
                (context, token) => context.Entries().Where(e => batch.Contains(e.Key) && e.Value != null)
                    .Select(e => new { e.Key, e.Value }).ToListAsync(token),
                cancellationToken);
            foreach (var row in rows)
            {
                yield return new(AcmeHttpsEntry.KeyOf(row.Key), row.Value);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        StorageKey.ThrowIfTooLong(value);
        cancellationToken.ThrowIfCancellationRequested();
        var id = AcmeHttpsEntry.OfValue(key);
        var bytes = value.ToArray();
        await _leases.UnderAsync(lease, $"writing '{key}'", WriteAsync, cancellationToken);

        async Task<(bool, bool)> WriteAsync(DbContext context, CancellationToken token)
        {
            var version = await context.NextVersionAsync(token);
            var updated = await context.Entries().Where(e => e.Key == id).ExecuteUpdateAsync(
                row => row.SetProperty(e => e.Value, bytes).SetProperty(e => e.Version, version), token);
            if (updated == 0)
            {
                await context.InsertAsync(new() { Key = id, Value = bytes, Version = version }, token);
            }

            return (true, true);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        cancellationToken.ThrowIfCancellationRequested();
        var id = AcmeHttpsEntry.OfValue(key);
        return await _leases.UnderAsync(lease, $"deleting '{key}'", DeleteAsync, cancellationToken);

        async Task<(bool, bool)> DeleteAsync(DbContext context, CancellationToken token)
        {
            if (!await context.Entries().AnyAsync(e => e.Key == id && e.Value != null, token))
            {
                return (false, false);
            }

            var version = await context.NextVersionAsync(token);
            var updated = await context.Entries().Where(e => e.Key == id && e.Value != null).ExecuteUpdateAsync(
                row => row.SetProperty(e => e.Value, (byte[]?)null).SetProperty(e => e.Version, version), token);
            var oldest = version - DbContextFollower.KeptChanges;
            await context.Entries().Where(e => e.Version > 0 && e.Version < oldest && e.Value == null).ExecuteDeleteAsync(token);
            return (true, updated > 0);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalidPrefix(prefix);
        var id = AcmeHttpsEntry.OfValue(prefix);
        var keys = await _database.RunAsync(
            $"listing '{prefix}'",
            (context, token) => context.Entries().Where(e => e.Key.StartsWith(id) && e.Value != null).Select(e => e.Key).ToListAsync(token),
            cancellationToken);
        foreach (var key in keys)
        {
            yield return AcmeHttpsEntry.KeyOf(key);
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalidPrefix(prefix);
        return _watch.WatchAsync(prefix, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => _leases.TryAcquireAsync(name, duration, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
    {
        var isReadable = false;
        try
        {
            await _database.RunAsync("checking it", (context, token) => context.PositionAsync(token), cancellationToken);
            isReadable = true;

            // The row is taken back, so that nothing remains even after a crash.
            await _database.RunInTransactionAsync(
                "checking whether it can be written",
                async (context, token) =>
                {
                    await context.InsertAsync(new() { Key = $"check/{Guid.NewGuid():N}" }, token);
                    return (false, true);
                },
                cancellationToken);
            await _leases.ForgetAsync(cancellationToken);
            return new(Readable: true, Writable: true, Durable: true, _database.Place, null);
        }
        catch (StorageUnavailableException exception)
        {
            return new(isReadable, Writable: false, Durable: true, _database.Place, exception.Message);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _watch.DisposeAsync();

    /// <inheritdoc/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();
}
