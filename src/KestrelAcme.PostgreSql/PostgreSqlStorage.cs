using System.Runtime.CompilerServices;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;
using static KestrelAcme.PostgreSql.PostgreSqlCommands;

namespace KestrelAcme.PostgreSql;

/// <summary>Stores everything in one schema of a PostgreSQL database, for all instances that connect to it.</summary>
/// <remarks>Safe for concurrent use. Connects at first use.</remarks>
internal sealed class PostgreSqlStorage : IAcmeStorage, IAsyncDisposable, IDisposable
{
    private const int BatchSize = 100;

    private readonly PostgreSqlDatabase _database;
    private readonly PostgreSqlSchema _schema;
    private readonly SharedWatch _watch;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _highest;

    /// <param name="source">The data source.</param>
    /// <param name="owned">Whether the data source is disposed with the storage.</param>
    /// <param name="options">The options, which are valid.</param>
    /// <param name="time">The clock, for the holder's own view of leases, and for polling.</param>
    /// <param name="logger">The logger.</param>
    public PostgreSqlStorage(
        NpgsqlDataSource source, bool owned, PostgreSqlStorageOptions options, TimeProvider time, ILogger<PostgreSqlStorage> logger)
    {
        _schema = new(options);
        _database = new(source, owned, _schema, logger);
        _watch = new(
            new PostgreSqlFollower(_database, options, time).RunAsync,
            failure => _database.Describe("watching for changes", failure),
            reason => logger.WatchLost(reason),
            () => logger.WatchRestored(_database.Place),
            time);
        WatchDelay = options.ListenForChanges ? TimeSpan.Zero : options.PollInterval;
        (_time, _logger) = (time, logger);
    }

    /// <inheritdoc/>
    public TimeSpan WatchDelay { get; }

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        var value = await _database.RunAsync(
            $"reading '{key}'",
            async (connection, token) => await connection.ScalarAsync(_schema.Read, token, Text(key)) as byte[],
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

        foreach (var batch in keys.Chunk(BatchSize))
        {
            // Each batch is read to its end, so that a slow reader keeps no connection.
            var entries = await _database.RunAsync(
                $"reading {batch.Length} values",
                (connection, token) => connection.RowsAsync(
                    _schema.ReadMany,
                    row => new StorageEntry(row.GetString(0), row.GetFieldValue<byte[]>(1)),
                    token,
                    Texts(batch)),
                cancellationToken);
            foreach (var entry in entries)
            {
                yield return entry;
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
        ThrowIfOver(lease);
        var written = await _database.RunAsync(
            $"writing '{key}'",
            async (connection, token) =>
            {
                NpgsqlParameter[] parameters = [Text(key), Bytes(value), Text(_schema.Channel)];
                return lease is null
                    ? await connection.ScalarAsync(_schema.Write, token, parameters)
                    : await connection.ScalarAsync(_schema.WriteLeased, token, [.. parameters, .. Lease(lease)]);
            },
            cancellationToken);
        if (written is null)
        {
            throw Lost(lease!);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfOver(lease);
        var rows = await _database.RunAsync(
            $"deleting '{key}'",
            async (connection, token) =>
            {
                NpgsqlParameter[] parameters = [Text(key), Text(_schema.Channel)];
                return await connection.RowsAsync(
                    lease is null ? _schema.Delete : _schema.DeleteLeased,
                    static row => (Held: row.GetBoolean(0), Existed: row.GetBoolean(1)),
                    token,
                    lease is null ? parameters : [.. parameters, .. Lease(lease)]);
            },
            cancellationToken);
        return rows is [{ Held: true } row] ? row.Existed : throw Lost(lease!);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalidPrefix(prefix);

        // '0' follows '/' in the order of the column, which is that of ASCII.
        NpgsqlParameter[] range() => prefix.Length == 0 ? [] : [Text(prefix), Text(prefix[..^1] + "0")];
        var keys = await _database.RunAsync(
            $"listing '{prefix}'",
            (connection, token) => connection.RowsAsync(
                prefix.Length == 0 ? _schema.ListAll : _schema.List, static row => row.GetString(0), token, range()),
            cancellationToken);
        foreach (var key in keys)
        {
            yield return key;
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalidPrefix(prefix);
        return _watch.WatchAsync(prefix, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        StorageLease.ThrowIfInvalid(name, duration);
        var token = Guid.NewGuid();
        var asked = 0L;
        var number = await _database.RunAsync(
            $"acquiring the lease '{name}'",
            async (connection, cancel) =>
            {
                asked = _time.GetTimestamp();
                var floor = Interlocked.Read(ref _highest) + 1;
                return await connection.ScalarAsync(
                    _schema.Acquire, cancel, Text(name), Id(token), Interval(duration), Number(floor)) as long?;
            },
            cancellationToken);
        if (number is not { } granted)
        {
            return null;
        }

        NoteNumber(granted);
        return new PostgreSqlLease(this, token, name, granted, duration, _time, asked);
    }

    /// <inheritdoc/>
    public async ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
    {
        var isReadable = false;
        try
        {
            await _database.RunAsync(
                "checking it", (connection, token) => connection.ScalarAsync(_schema.Position, token), cancellationToken);
            isReadable = true;
            await _database.RunAsync("checking whether it can be written", CheckWritingAsync, cancellationToken);
            await _database.RunAsync(
                "removing old leases", (connection, token) => connection.ScalarAsync(_schema.ForgetLeases, token), cancellationToken);
            return new(Readable: true, Writable: true, Durable: true, _database.Place, null);
        }
        catch (StorageUnavailableException exception)
        {
            return new(isReadable, Writable: false, Durable: true, _database.Place, exception.Message);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _watch.DisposeAsync();
        await _database.DisposeAsync();
    }

    /// <inheritdoc/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Extends a lease. Returns whether it still held.</summary>
    internal async ValueTask<bool> RenewAsync(PostgreSqlLease lease, CancellationToken cancellationToken)
        => await _database.RunAsync(
            $"renewing the lease '{lease.Name}'",
            (connection, token) => connection.ScalarAsync(_schema.Renew, token, [.. Lease(lease), Interval(lease.Duration)]),
            cancellationToken) is not null;

    /// <summary>Releases a lease if it is still held. If that fails, it expires.</summary>
    internal async ValueTask ReleaseAsync(PostgreSqlLease lease)
    {
        try
        {
            await _database.RunAsync(
                $"releasing the lease '{lease.Name}'",
                (connection, token) => connection.ScalarAsync(_schema.Release, token, Lease(lease)),
                CancellationToken.None);
        }
        catch (StorageUnavailableException exception)
        {
            _logger.LeaseNotReleased(lease.Name, exception.Message);
        }
    }

    // Writes to all tables and takes it back, so that nothing remains even after a crash.
    private async Task<bool> CheckWritingAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var name = $"CHECK {Guid.NewGuid():N}";
        foreach (var statement in _schema.WriteCheck)
        {
            var parameters = statement.Contains("$1", StringComparison.Ordinal) ? [Text(name)] : Array.Empty<NpgsqlParameter>();
            await connection.ScalarAsync(statement, cancellationToken, parameters);
        }

        await transaction.RollbackAsync(cancellationToken);
        return true;
    }

    // A lease of a wrapper of this storage has no token; its number says the same.
    private static NpgsqlParameter[] Lease(IStorageLease lease)
        => [Text(lease.Name), Number(lease.FencingNumber), Id((lease as PostgreSqlLease)?.Token)];

    private static void ThrowIfOver(IStorageLease? lease)
    {
        if (lease is PostgreSqlLease { IsOver: true } || lease?.Lost.IsCancellationRequested == true)
        {
            throw new LeaseLostException(lease.Name);
        }
    }

    private static LeaseLostException Lost(IStorageLease lease)
    {
        (lease as PostgreSqlLease)?.MarkLost();
        return new(lease.Name);
    }

    // Numbers also grow for this process if the server lost its last transactions and its clock was set back.
    private void NoteNumber(long number)
    {
        for (var seen = Interlocked.Read(ref _highest); seen < number;)
        {
            seen = Interlocked.CompareExchange(ref _highest, number, seen);
        }
    }
}

/// <summary>
/// A lease of <see cref="PostgreSqlStorage"/>: a row that holds its token and its number, until it expires by the server's clock.
/// </summary>
internal sealed class PostgreSqlLease(
    PostgreSqlStorage storage, Guid token, string name, long number, TimeSpan duration, TimeProvider time, long asked)
    : StorageLease(name, number, duration, time, asked)
{
    public Guid Token => token;

    protected override ValueTask<bool> ExtendAsync(CancellationToken cancellationToken) => storage.RenewAsync(this, cancellationToken);

    protected override ValueTask ReleaseAsync() => storage.ReleaseAsync(this);
}
