using System.Collections.Concurrent;
using System.Data.Common;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Contract;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

[assembly: AssemblyFixture(typeof(SharedPostgreSqlServer))]

namespace KestrelAcme.EntityFrameworkCore.Tests;

/// <summary>A kind of database.</summary>
public enum Kind
{
    Sqlite,
    PostgreSql,
}

/// <summary>A new database: a file of SQLite, or a database of the shared PostgreSQL.</summary>
internal sealed class DbContextFixture : IStorageFixture
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider? _fake;
    private readonly TimeSpan _poll;
    private readonly List<ServiceProvider> _providers = [];
    private readonly List<DbContextStorage> _opened = [];
    private PostgreSqlServer? _server;
    private string _database = "";
    private bool _isBroken;

    private DbContextFixture(Kind kind, FakeTimeProvider? fake, TimeSpan poll) => (Kind, _fake, _poll) = (kind, fake, poll);

    public Kind Kind { get; }

    public LogRecorder Log { get; } = new();

    public CommandRecorder Commands { get; } = new();

    public string ConnectionString => Kind == Kind.Sqlite
        ? $"Data Source={Path};Pooling=False"
        : _server!.ConnectionString(_database);

    private string Path => _folder.Combine("app.db");

    private string Away => _folder.Combine("away.db");

    /// <summary>Creates an empty database with the tables of <see cref="AppDbContext"/>.</summary>
    public static async ValueTask<DbContextFixture> CreateAsync(
        Kind kind, FakeTimeProvider? fake = null, TimeSpan? poll = null, bool withTables = true)
    {
        var fixture = new DbContextFixture(kind, fake, poll ?? TimeSpan.FromMilliseconds(50));
        if (kind == Kind.PostgreSql)
        {
            fixture._server = await SharedPostgreSqlServer.GetAsync();
            fixture._database = await fixture._server.CreateDatabaseAsync();
        }

        if (withTables)
        {
            await fixture.ChangeAsync(context => context.Database.EnsureCreatedAsync());
        }

        return fixture;
    }

    public IAcmeStorage Open(TimeSpan clockOffset = default)
        => Open(_fake is null ? new ShiftedTimeProvider { Ahead = clockOffset } : new Shifted(_fake, clockOffset));

    public DbContextStorage Open(TimeProvider time, string? connectionString = null)
    {
        var database = new DbContextDatabase(
            nameof(AppDbContext),
            Services(connectionString).GetRequiredService<IServiceScopeFactory>(),
            DbContextSetup<AppDbContext>.CreateAsync);
        var storage = new DbContextStorage(database, new() { PollInterval = _poll }, time, Log.For<DbContextStorage>());
        lock (_opened)
        {
            _opened.Add(storage);
        }

        return storage;
    }

    /// <summary>Changes the database behind the back of the storage.</summary>
    public async Task ChangeAsync(Func<AppDbContext, Task> change)
    {
        await using var scope = Services(null).CreateAsyncScope();
        await change(scope.ServiceProvider.GetRequiredService<AppDbContext>());
    }

    /// <summary>Lets time pass: on the fake clock of the instances, and in the database by moving the ends of the leases.</summary>
    public async Task PassAsync(TimeSpan span)
    {
        var seconds = FormattableString.Invariant($"{span.TotalSeconds} seconds");
        var statement = Kind == Kind.Sqlite
            ? $"UPDATE \"AcmeHttps\" SET \"Expires\" = strftime('%Y-%m-%d %H:%M:%f', \"Expires\", '-{seconds}') "
                + "WHERE \"Expires\" IS NOT NULL"
            : $"UPDATE \"AcmeHttps\" SET \"Expires\" = \"Expires\" - interval '{seconds}'";
        await ChangeAsync(context => context.Database.ExecuteSqlRawAsync(statement));
        _fake?.Advance(span);
    }

    public async Task<bool> BreakAsync()
    {
        _isBroken = true;
        if (_server is not null)
        {
            await _server.RefuseAsync(_database);
            return true;
        }

        // A folder in place of the file: it cannot be opened.
        File.Move(Path, Away);
        Directory.CreateDirectory(Path);
        return true;
    }

    public async Task RestoreAsync()
    {
        _isBroken = false;
        if (_server is not null)
        {
            await _server.AcceptAsync(_database);
            return;
        }

        Directory.Delete(Path);
        File.Move(Away, Path);
    }

    public async Task<bool> EmptyAsync()
    {
        await ChangeAsync(context => context.Database.ExecuteSqlRawAsync("DELETE FROM \"AcmeHttps\""));
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

        foreach (var provider in _providers)
        {
            await provider.DisposeAsync();
        }

        if (_server is not null)
        {
            await _server.ExecuteAsync("postgres", $"DROP DATABASE {_database} WITH (FORCE)");
        }

        _folder.Dispose();
    }

    /// <summary>The services of one instance of the app.</summary>
    public ServiceProvider Services(string? connectionString)
    {
        connectionString ??= ConnectionString;
        var services = new ServiceCollection();
        services.AddDbContext<AppDbContext>(options =>
            (Kind == Kind.Sqlite ? options.UseSqlite(connectionString) : options.UseNpgsql(connectionString)).AddInterceptors(Commands));
        var provider = services.BuildServiceProvider();
        lock (_providers)
        {
            _providers.Add(provider);
        }

        return provider;
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

/// <summary>Records the statements, and whether one has a parameter that is a time.</summary>
internal sealed class CommandRecorder : DbCommandInterceptor
{
    public ConcurrentQueue<string> Statements { get; } = new();

    public bool HasTimeParameter { get; private set; }

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<DbDataReader> result,
        CancellationToken cancellationToken = default)
    {
        Note(command);
        return new(result);
    }

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Note(command);
        return new(result);
    }

    private void Note(DbCommand command)
    {
        Statements.Enqueue(command.CommandText);
        HasTimeParameter |= command.Parameters.Cast<DbParameter>().Any(parameter => parameter.Value is DateTime or DateTimeOffset);
    }
}
