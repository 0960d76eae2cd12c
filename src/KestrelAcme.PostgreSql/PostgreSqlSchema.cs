using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace KestrelAcme.PostgreSql;

/// <summary>The tables of one schema, and the statements that use them.</summary>
/// <remarks>
/// <para>
/// <c>entries</c> holds the values. Each write and each deletion takes the next version of <c>counter</c>, whose row stays locked until the
/// commit, so that versions become visible in order. A deleted key remains as a row without a value for a while, so that watches that poll
/// notice the deletion. <c>leases</c> holds one row per lease, for a day after its end.
/// </para>
/// <para>
/// Every statement is a transaction of its own and needs no state of its connection, so that they work through PgBouncer with
/// <c>pool_mode = transaction</c>. Times are the server's, from <c>clock_timestamp()</c>, which is right even after waiting for a lock.
/// </para>
/// </remarks>
internal sealed class PostgreSqlSchema
{
    /// <summary>Deletions older than this many changes are forgotten.</summary>
    private const int KeptChanges = 10_000;

    /// <summary>A reader that is further behind than this reads everything again. Deletions are kept longer.</summary>
    public const int MaxBehind = KeptChanges / 2;

    private const string Milliseconds = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    private const string Microseconds = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

    private readonly string _schema;
    private readonly string _entries;
    private readonly string _leases;
    private readonly string _counter;
    private readonly string _prefix;
    private readonly long _advisoryLock;

    public PostgreSqlSchema(PostgreSqlStorageOptions options)
    {
        (_schema, _prefix) = (options.Schema, options.TablePrefix);
        _entries = Table("entries");
        _leases = Table("leases");
        _counter = Table("counter");
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"KestrelAcme {_schema}.{_prefix}"));
        _advisoryLock = BitConverter.ToInt64(hash);
        Channel = $"kestrelacme_{Convert.ToHexStringLower(hash.AsSpan(0, 8))}";
        Write = WriteStatement(leased: false);
        WriteLeased = WriteStatement(leased: true);
        Delete = DeleteStatement(leased: false);
        DeleteLeased = DeleteStatement(leased: true);
    }

    public string Name => _schema;

    /// <summary>The channel of the notifications, one for each schema and prefix.</summary>
    public string Channel { get; }

    /// <summary>The statements that create the schema and its tables, on one line, for an administrator.</summary>
    public string Script => string.Join(' ', Tables.Prepend(CreateSchema));

    // Not to_regclass, which may answer from a cache after waiting for the lock.
    public string Exists => $"""
        SELECT count(*) = 3 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = '{_schema}' AND c.relname IN ('{_prefix}entries', '{_prefix}leases', '{_prefix}counter')
        """;

    /// <summary>$1 key. Returns the value.</summary>
    public string Read => $"SELECT value FROM {_entries} WHERE key = $1 AND value IS NOT NULL";

    /// <summary>$1 keys. Returns keys and values.</summary>
    public string ReadMany => $"SELECT key, value FROM {_entries} WHERE key = ANY ($1) AND value IS NOT NULL";

    /// <summary>Returns all keys.</summary>
    public string ListAll => $"SELECT key FROM {_entries} WHERE value IS NOT NULL";

    /// <summary>$1 the prefix, $2 the first text behind it. Returns keys.</summary>
    public string List => $"SELECT key FROM {_entries} WHERE key >= $1 AND key < $2 AND value IS NOT NULL";

    /// <summary>$1 key, $2 value, $3 channel. Returns a row.</summary>
    public string Write { get; }

    /// <summary>The same, with $4 name, $5 number and $6 token of a lease. Returns no row if the lease is lost.</summary>
    public string WriteLeased { get; }

    /// <summary>$1 key, $2 channel. Returns whether the lease holds (always), and whether the key existed.</summary>
    public string Delete { get; }

    /// <summary>The same, with $3 name, $4 number and $5 token of a lease.</summary>
    public string DeleteLeased { get; }

    /// <summary>
    /// $1 name, $2 token, $3 duration, $4 lowest number. Returns the number, or no row if another holder has the lease. The number is at
    /// least the server's time in milliseconds, so that it grows even if the table was emptied, or restored from a backup.
    /// </summary>
    public string Acquire => $"""
        INSERT INTO {_leases} AS l (name, number, token, expires)
        VALUES ($1, greatest({Milliseconds}, $4), $2, clock_timestamp() + $3)
        ON CONFLICT (name) DO UPDATE
        SET number = greatest(l.number + 1, {Milliseconds}, $4), token = excluded.token, expires = clock_timestamp() + $3
        WHERE l.token IS NULL OR l.token = excluded.token OR l.expires <= clock_timestamp()
        RETURNING number
        """;

    /// <summary>$1 name, $2 number, $3 token, $4 duration. Returns a row if the lease still held.</summary>
    public string Renew => $"""
        UPDATE {_leases} SET expires = clock_timestamp() + $4
        WHERE name = $1 AND number = $2 AND token = $3 AND expires > clock_timestamp() RETURNING number
        """;

    /// <summary>$1 name, $2 number, $3 token.</summary>
    public string Release => $"UPDATE {_leases} SET token = NULL WHERE name = $1 AND number = $2 AND token = $3";

    /// <summary>
    /// Removes leases that ended more than a day ago, released or not. Numbers grow without them, and a holder without a row is refused.
    /// </summary>
    public string ForgetLeases => $"DELETE FROM {_leases} WHERE expires < clock_timestamp() - interval '1 day'";

    /// <summary>Returns the version of the last change, and the start of the server, which differs after a failover.</summary>
    public string Position => $"SELECT (SELECT version FROM {_counter}), pg_postmaster_start_time()";

    /// <summary>$1 version. Returns keys that were written or deleted later, and their versions.</summary>
    public string ChangedSince => $"SELECT key, version FROM {_entries} WHERE version > $1";

    /// <summary>Writes to all tables, to be rolled back. $1 a name that no key and no lease can have.</summary>
    public string[] WriteCheck =>
    [
        $"INSERT INTO {_entries} (key, value, version) VALUES ($1, '', 0)",
        $"INSERT INTO {_leases} (name, number, token, expires) VALUES ($1, 0, NULL, clock_timestamp())",
        $"UPDATE {_counter} SET version = version WHERE false",
    ];

    private string CreateSchema => $"CREATE SCHEMA IF NOT EXISTS \"{_schema}\";";

    private string[] Tables =>
    [
        $"CREATE TABLE IF NOT EXISTS {_entries} (key text COLLATE \"C\" PRIMARY KEY, value bytea, version bigint NOT NULL);",
        $"CREATE INDEX IF NOT EXISTS \"{_prefix}entries_version\" ON {_entries} (version);",
        $"CREATE INDEX IF NOT EXISTS \"{_prefix}entries_deleted\" ON {_entries} (version) WHERE value IS NULL;",
        $"CREATE TABLE IF NOT EXISTS {_leases} "
            + "(name text COLLATE \"C\" PRIMARY KEY, number bigint NOT NULL, token uuid, expires timestamptz NOT NULL);",
        $"CREATE TABLE IF NOT EXISTS {_counter} (id smallint PRIMARY KEY CHECK (id = 1), version bigint NOT NULL);",
        $"INSERT INTO {_counter} VALUES (1, {Microseconds}) ON CONFLICT DO NOTHING;",
    ];

    /// <summary>The statements that let a user use what an administrator created.</summary>
    public string GrantsTo(string user) =>
        $"GRANT USAGE ON SCHEMA \"{_schema}\" TO \"{user}\"; "
        + $"GRANT SELECT, INSERT, UPDATE, DELETE ON {_entries}, {_leases}, {_counter} TO \"{user}\";";

    /// <summary>Creates what does not exist. Any number of instances may call it at once.</summary>
    /// <returns>Whether this call created it.</returns>
    public async Task<bool> CreateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        // IF NOT EXISTS alone is not safe for concurrent use.
        await ExecuteAsync($"SELECT pg_advisory_xact_lock({_advisoryLock})");
        if (await AskAsync(Exists))
        {
            return false;
        }

        // Even with IF NOT EXISTS, CREATE SCHEMA needs a permission on the database that a user of an existing schema may not have.
        if (!await AskAsync($"SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{_schema}')"))
        {
            await ExecuteAsync(CreateSchema);
        }

        await ExecuteAsync(string.Join('\n', Tables));
        await transaction.CommitAsync(cancellationToken);
        return true;

        async Task<object?> ExecuteAsync(string statement)
        {
            await using var command = new NpgsqlCommand(statement, connection, transaction);
            return await command.ExecuteScalarAsync(cancellationToken);
        }

        async Task<bool> AskAsync(string statement) => await ExecuteAsync(statement) is true;
    }

    private string Table(string name) => $"\"{_schema}\".\"{_prefix}{name}\"";

    // Locks the row of the lease, so that nobody can acquire it before this statement is committed.
    private string Held(int first) => $"""
        SELECT 1 FROM {_leases} WHERE name = ${first} AND number = ${first + 1} AND token IS NOT NULL
        AND (${first + 2} IS NULL OR token = ${first + 2}) AND expires > clock_timestamp() FOR UPDATE
        """;

    // A lost counter starts far above its last value, so that every watch notices the gap.
    private string Bump(string from) => $"""
        INSERT INTO {_counter} AS c (id, version) SELECT 1, {Microseconds} FROM {from}
        ON CONFLICT (id) DO UPDATE SET version = c.version + 1 RETURNING version
        """;

    private string WriteStatement(bool leased) => $"""
        WITH held AS ({(leased ? Held(4) : "SELECT 1")}),
        bump AS ({Bump("held")}),
        written AS (
          INSERT INTO {_entries} (key, value, version) SELECT $1, $2, version FROM bump
          ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version RETURNING version)
        SELECT version, pg_notify($3, version || ' ' || $1) FROM written
        """;

    private string DeleteStatement(bool leased) => $"""
        WITH held AS ({(leased ? Held(3) : "SELECT 1")}),
        existing AS (SELECT 1 FROM {_entries}, held WHERE key = $1 AND value IS NOT NULL),
        bump AS ({Bump("existing")}),
        deleted AS (
          UPDATE {_entries} e SET value = NULL, version = bump.version FROM bump WHERE e.key = $1 AND e.value IS NOT NULL RETURNING 1),
        forgotten AS (DELETE FROM {_entries} e USING bump WHERE e.value IS NULL AND e.version < bump.version - {KeptChanges})
        SELECT EXISTS (SELECT FROM held), EXISTS (SELECT FROM deleted), (SELECT pg_notify($2, version || ' ' || $1) FROM bump)
        """;
}
