using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using KestrelAcme.Storage;
using StackExchange.Redis;

namespace KestrelAcme.Redis;

/// <summary>
/// Stores everything in Redis. A script changes a value, the list of keys and the version at once, if the lease is still held.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class RedisStorage : IAcmeStorage, IAsyncDisposable, IDisposable
{
    private const int BatchSize = 128;
    private const int PageSize = 5000;

    // A replica may be behind.
    private const CommandFlags Primary = CommandFlags.DemandMaster;

    private readonly RedisConnection _connection;
    private readonly RedisKeys _keys;
    private readonly int? _database;
    private readonly TimeProvider _time;
    private readonly RedisHealthCheck _health;
    private readonly RedisChangeHub _changes;
    private long _highest;

    /// <param name="connection">The connection; disposed with the storage.</param>
    /// <param name="options">Valid options.</param>
    /// <param name="time">The clock for the holder's side of leases and for polling. Redis uses its own.</param>
    public RedisStorage(RedisConnection connection, RedisStorageOptions options, TimeProvider time)
    {
        (_connection, _keys, _database, _time) = (connection, new RedisKeys(options.KeyPrefix), options.Database, time);
        _health = new(this, _keys, time);
        _changes = new(this, _keys, time);
    }

    /// <summary>Where Redis is, for operators.</summary>
    public string Place => $"Redis at {_connection.Place}";

    public TimeSpan WatchDelay => _changes.Delay;

    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        var value = await RunAsync($"reading '{key}'", db => db.StringGetAsync(_keys.Value(key), Primary), cancellationToken);
        if (value.IsNull)
        {
            return null;
        }

        return (byte[])value!;
    }

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        foreach (var key in keys)
        {
            StorageKey.ThrowIfInvalid(key);
        }

        // One slot holds all keys, so that one MGET reads a batch from a cluster, too.
        foreach (var batch in keys.Chunk(BatchSize))
        {
            var names = Array.ConvertAll(batch, _keys.Value);
            var values = await RunAsync($"reading {batch.Length} values", db => db.StringGetAsync(names, Primary), cancellationToken);
            for (var i = 0; i < batch.Length; i++)
            {
                if (!values[i].IsNull)
                {
                    yield return new(batch[i], (byte[])values[i]!);
                }
            }
        }
    }

    public async ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        StorageKey.ThrowIfTooLong(value);

        // A copy: if the caller stops waiting, the bytes may be sent later than the caller keeps them.
        await ChangeAsync($"writing '{key}'", RedisScripts.Write, key, value.ToArray(), lease, cancellationToken);
    }

    public async ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        return await ChangeAsync($"deleting '{key}'", RedisScripts.Delete, key, RedisValue.EmptyString, lease, cancellationToken) == 1;
    }

    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalidPrefix(prefix);

        // '0' is the character after '/', with which the prefix ends.
        RedisValue from = prefix.Length == 0 ? RedisValue.Null : prefix;
        RedisValue end = prefix.Length == 0 ? RedisValue.Null : prefix[..^1] + '0';
        for (var exclude = Exclude.Stop; ; exclude = Exclude.Both)
        {
            var first = from;
            var excluded = exclude;
            var page = await RunAsync(
                $"listing '{prefix}'",
                db => db.SortedSetRangeByValueAsync(_keys.Index, first, end, excluded, 0, PageSize, Primary),
                cancellationToken);
            foreach (var key in page)
            {
                yield return (string)key!;
            }

            if (page.Length < PageSize)
            {
                yield break;
            }

            from = page[^1];
        }
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
        await _health.ThrowIfEvictingAsync(cancellationToken);
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var asked = _time.GetTimestamp();
        RedisResult result;
        try
        {
            result = await EvaluateAsync(
                $"acquiring the lease '{name}'",
                RedisScripts.Acquire,
                [_keys.Lease(name), _keys.Fence],
                [token, Milliseconds(duration), Text(Interlocked.Read(ref _highest))],
                cancellationToken);
        }
        catch
        {
            // The server may have granted it, or may do so yet.
            _ = ReleaseAsync(name, $":{token}:").AsTask();
            throw;
        }

        if (result.IsNull)
        {
            return null;
        }

        var number = (long)result;
        Remember(number);
        return new RedisLease(this, name, token, number, duration, _time, asked);
    }

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => _health.RunAsync(cancellationToken);

    public async ValueTask<bool> RenewAsync(RedisLease lease, CancellationToken cancellationToken)
        => (int)await EvaluateAsync(
            $"renewing the lease '{lease.Name}'",
            RedisScripts.Renew,
            [_keys.Lease(lease.Name)],
            [lease.Holder, Milliseconds(lease.Duration)],
            cancellationToken) == 1;

    public async ValueTask ReleaseAsync(string name, string holder)
    {
        try
        {
            await EvaluateAsync(
                $"releasing the lease '{name}'", RedisScripts.Release, [_keys.Lease(name)], [holder], CancellationToken.None);
        }
        catch (StorageUnavailableException)
        {
            // It expires.
        }
    }

    /// <summary>Runs a command on the database.</summary>
    /// <inheritdoc cref="RedisConnection.RunAsync"/>
    public Task<T> RunAsync<T>(string what, Func<IDatabase, Task<T>> command, CancellationToken cancellationToken)
        => _connection.RunAsync(what, connection => command(connection.GetDatabase(_database ?? -1)), cancellationToken);

    /// <summary>Runs a script.</summary>
    /// <exception cref="StorageUnavailableException">The script failed.</exception>
    public Task<RedisResult> EvaluateAsync(
        string what, string script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken)
        => RunAsync(what, db => db.ScriptEvaluateAsync(script, keys, arguments, Primary), cancellationToken);

    /// <summary>The channel of changes, as the server knows it.</summary>
    public string ServerChannel(IDatabase database) => _connection.ChannelPrefix + _keys.Channel(database.Database);

    public async ValueTask DisposeAsync()
    {
        _changes.Dispose();
        await _connection.DisposeAsync();
    }

    // The container is disposed in this way, too.
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private async Task<int> ChangeAsync(
        string what, string script, string key, RedisValue value, IStorageLease? lease, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (lease is StorageLease { IsOver: true } || lease?.Lost.IsCancellationRequested == true)
        {
            throw new LeaseLostException(lease.Name);
        }

        RedisKey[] keys = [_keys.Value(key), _keys.Index, _keys.Version];
        if (lease is not null)
        {
            keys = [.. keys, _keys.Lease(lease.Name)];
        }

        var holder = lease is null ? "" : HolderOf(lease);
        var result = (int)await RunAsync(
            what, db => db.ScriptEvaluateAsync(script, keys, [value, key, ServerChannel(db), holder], Primary), cancellationToken);
        if (result == RedisScripts.Refused)
        {
            (lease as StorageLease)?.MarkLost();
            throw new LeaseLostException(lease!.Name);
        }

        return result;
    }

    // A lease that an app has wrapped is recognized by its number.
    private static string HolderOf(IStorageLease lease) => lease is RedisLease own ? own.Holder : $":{Text(lease.FencingNumber)}:";

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static RedisValue Milliseconds(TimeSpan duration) => (long)Math.Ceiling(duration.TotalMilliseconds);

    private void Remember(long number)
    {
        for (var highest = Interlocked.Read(ref _highest); number > highest; highest = Interlocked.Read(ref _highest))
        {
            Interlocked.CompareExchange(ref _highest, number, highest);
        }
    }
}
