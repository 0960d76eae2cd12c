using KestrelAcme.Storage;
using KestrelAcme.Storage.Contract;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Xunit;

[assembly: AssemblyFixture(typeof(SharedPostgreSqlServer))]

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>
/// A new database of the shared server, or only a new schema. Each opened instance has connections of its own.
/// </summary>
internal sealed class PostgreSqlFixture : IStorageFixture
{
    private static int _schemas;

    private readonly PostgreSqlStorageOptions _options;
    private readonly FakeTimeProvider? _fake;
    private readonly bool _isShared;
    private readonly List<PostgreSqlStorage> _opened = [];
    private bool _isBroken;

    private PostgreSqlFixture(
        PostgreSqlServer server, string database, bool isShared, PostgreSqlStorageOptions options, FakeTimeProvider? fake)
        => (Server, Database, _isShared, _options, _fake) = (server, database, isShared, options, fake);

    public PostgreSqlServer Server { get; }

    public string Database { get; }

    public LogRecorder Log { get; } = new();

    public string ConnectionString => Server.ConnectionString(Database);

    /// <summary>Creates an empty database.</summary>
    /// <param name="options">The options.</param>
    /// <param name="fake">The clock of all instances; the system's by default.</param>
    public static async ValueTask<PostgreSqlFixture> CreateAsync(PostgreSqlStorageOptions? options = null, FakeTimeProvider? fake = null)
    {
        var server = await SharedPostgreSqlServer.GetAsync();
        return new(server, await server.CreateDatabaseAsync(), isShared: false, options ?? new(), fake);
    }

    /// <summary>Creates a new schema in a database of others, which is quicker. The database cannot be made unreachable.</summary>
    public static async ValueTask<PostgreSqlFixture> CreateSchemaAsync(FakeTimeProvider? fake = null)
    {
        var server = await SharedPostgreSqlServer.GetAsync();
        var options = new PostgreSqlStorageOptions { Schema = $"schema{Interlocked.Increment(ref _schemas)}" };
        return new(server, "postgres", isShared: true, options, fake);
    }

    public IAcmeStorage Open(TimeSpan clockOffset = default)
        => Open(ConnectionString, time: _fake is null ? new ShiftedTimeProvider { Ahead = clockOffset } : new Shifted(_fake, clockOffset));

    public PostgreSqlStorage Open(string connectionString, PostgreSqlStorageOptions? options = null, TimeProvider? time = null)
    {
        var storage = new PostgreSqlStorage(
            PostgreSqlSetup.CreateDataSource(connectionString),
            owned: true,
            options ?? _options,
            time ?? TimeProvider.System,
            Log.For<PostgreSqlStorage>());
        lock (_opened)
        {
            _opened.Add(storage);
        }

        return storage;
    }

    public Task<string> ExecuteAsync(string statements) => Server.ExecuteAsync(Database, statements);

    /// <summary>Lets time pass: on the fake clock of the instances, and on the server by moving the ends of the leases.</summary>
    public async Task PassAsync(TimeSpan span)
    {
        await ExecuteAsync(FormattableString.Invariant(
            $"UPDATE {_options.Schema}.leases SET expires = expires - interval '{span.TotalSeconds} seconds'; SELECT pg_sleep(0.002)"));
        _fake?.Advance(span);
    }

    public async Task<bool> BreakAsync()
    {
        Assert.False(_isShared);
        _isBroken = true;
        await Server.RefuseAsync(Database);
        return true;
    }

    public async Task RestoreAsync()
    {
        await Server.AcceptAsync(Database);
        _isBroken = false;
    }

    public async Task<bool> EmptyAsync()
    {
        await ExecuteAsync($"TRUNCATE {_options.Schema}.entries, {_options.Schema}.leases, {_options.Schema}.counter");
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (_isBroken)
        {
            await RestoreAsync();
        }

        foreach (var storage in _opened)
        {
            await storage.DisposeAsync();
        }

        if (!_isShared)
        {
            await Server.ExecuteAsync("postgres", $"DROP DATABASE {Database} WITH (FORCE)");
        }
    }

    /// <summary>A clock that shows another time of day and is otherwise the same.</summary>
    private sealed class Shifted(TimeProvider inner, TimeSpan ahead) : TimeProvider
    {
        public override long TimestampFrequency => inner.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + ahead;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
            => inner.CreateTimer(callback, state, dueTime, period);
    }
}
