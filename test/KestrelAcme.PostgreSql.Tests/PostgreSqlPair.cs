using System.Collections.Concurrent;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Npgsql;

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>A primary and a standby that follows it. Instances know both hosts, the primary first.</summary>
internal sealed class PostgreSqlPair : IAsyncDisposable
{
    private readonly string _database;
    private readonly List<IAsyncDisposable> _opened = [];

    private PostgreSqlPair(PostgreSqlServer primary, PostgreSqlServer standby, string database)
        => (Primary, Standby, _database) = (primary, standby, database);

    public PostgreSqlServer Primary { get; }

    public PostgreSqlServer Standby { get; }

    public LogRecorder Log { get; } = new();

    public static async Task<PostgreSqlPair> StartAsync(CancellationToken cancellationToken)
    {
        var primary = await PostgreSqlServer.StartAsync(cancellationToken);
        try
        {
            var database = await primary.CreateDatabaseAsync(cancellationToken);
            return new(primary, await primary.StartStandbyAsync(cancellationToken), database);
        }
        catch
        {
            await primary.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens an instance that connects to whichever host accepts writes.</summary>
    public PostgreSqlStorage Open(TimeProvider? time = null, TimeSpan? poll = null) => Open([Primary, Standby], time, poll);

    /// <summary>Opens an instance that gives up a statement after a second.</summary>
    public PostgreSqlStorage OpenImpatient() => Open([Primary, Standby], null, null, commandTimeout: 1);

    /// <summary>Opens an instance that reaches one host only.</summary>
    public PostgreSqlStorage OpenAt(PostgreSqlServer host) => Open([host], null, null);

    /// <summary>Follows what an instance reports of the keys below <c>a/</c>. Returns when it would report every later change.</summary>
    public async Task<ConcurrentQueue<string?>> WatchAsync(PostgreSqlStorage storage, CancellationToken cancellationToken)
    {
        var watch = new Watch(storage, cancellationToken);
        _opened.Insert(0, watch);
        await watch.Begun.WaitAsync(cancellationToken);
        return watch.Seen;
    }

    public Task<string> ExecuteAsync(PostgreSqlServer server, string statements) => server.ExecuteAsync(_database, statements);

    /// <summary>Kills the primary and promotes the standby, with what it has.</summary>
    public async Task FailOverAsync(CancellationToken cancellationToken)
    {
        await Primary.KillAsync();
        await Standby.PromoteAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var opened in _opened)
        {
            await opened.DisposeAsync();
        }

        await Standby.KillAsync();
        await Standby.DisposeAsync();
        await Primary.KillAsync();
        await Primary.DisposeAsync();
    }

    private PostgreSqlStorage Open(PostgreSqlServer[] hosts, TimeProvider? time, TimeSpan? poll, int? commandTimeout = null)
    {
        var settings = new NpgsqlConnectionStringBuilder(hosts[0].ConnectionString(_database))
        {
            Host = string.Join(',', hosts.Select(host => $"127.0.0.1:{host.Port}")), TargetSessionAttributes = "primary",
        };
        settings.CommandTimeout = commandTimeout ?? settings.CommandTimeout;
        var storage = new PostgreSqlStorage(
            PostgreSqlSetup.CreateDataSource(settings.ConnectionString),
            owned: true,
            new() { PollInterval = poll ?? TimeSpan.FromHours(1) },
            time ?? TimeProvider.System,
            Log.For<PostgreSqlStorage>());
        _opened.Add(storage);
        return storage;
    }

    /// <summary>What was reported after the beginning: keys, and null for everything.</summary>
    private sealed class Watch : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop;
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Task _loop;

        public Watch(PostgreSqlStorage storage, CancellationToken cancellationToken)
        {
            _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _loop = Task.Run(() => FollowAsync(storage), cancellationToken);
        }

        public ConcurrentQueue<string?> Seen { get; } = new();

        public Task Begun => _begun.Task;

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stop.Dispose();
        }

        private async Task FollowAsync(PostgreSqlStorage storage)
        {
            try
            {
                await foreach (var change in storage.WatchAsync("a/", _stop.Token))
                {
                    if (!_begun.TrySetResult())
                    {
                        Seen.Enqueue(change.Key);
                    }
                }
            }
            catch (StorageUnavailableException exception)
            {
                _begun.TrySetException(exception);
            }
        }
    }
}
