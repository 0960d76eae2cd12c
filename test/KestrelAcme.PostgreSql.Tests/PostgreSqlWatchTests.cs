using System.Collections.Concurrent;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Npgsql;
using Xunit;

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>Changes by other instances: by notification, by polling, and after a gap.</summary>
public sealed class PostgreSqlWatchTests : IAsyncLifetime
{
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
    private readonly ConcurrentQueue<string?> _seen = new();
    private readonly FakeTimeProvider _time = new();
    private PostgreSqlFixture _fixture = null!;
    private Task _watching = Task.CompletedTask;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _fixture = await PostgreSqlFixture.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _fixture.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task WatchAsync_NothingIsPolled_ReportsByNotification()
    {
        await WatchAsync(new() { PollInterval = Never });

        await _fixture.Open().WriteAsync("a/b", "1"u8.ToArray(), cancellationToken: Token);

        await WaitForAsync("a/b");
        Assert.DoesNotContain(null, _seen);
    }

    [Fact]
    public async Task WatchAsync_ConnectionWasEnded_ReportsEverythingAndLogsBothOnce()
    {
        await WatchAsync(new() { PollInterval = Never }, TimeProvider.System);
        await _fixture.ExecuteAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{_fixture.Database}' AND query LIKE '%pg_postmaster%'"
            + " AND pid <> pg_backend_pid()");

        await WaitForAsync(null);
        await _fixture.Open().WriteAsync("a/b", "1"u8.ToArray(), cancellationToken: Token);
        await WaitForAsync("a/b");
        Assert.Single(_fixture.Log.Lines, line => line.Event.Name == "WatchLost");
        Assert.Single(_fixture.Log.Lines, line => line.Event.Name == "WatchRestored");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WatchAsync_AtRest_OneStatementPerMinute(bool listen)
    {
        await _fixture.ExecuteAsync($"ALTER DATABASE {_fixture.Database} SET log_statement = 'all'");
        await WatchAsync(new() { ListenForChanges = listen });
        await CompleteLogAsync();
        var before = Statements();
        for (var minute = 1; minute <= 10; minute++)
        {
            await _time.WhenWaitingAsync(1, Token);
            _time.Advance(Minute);
            var expected = before + minute;
            await Poll.UntilAsync(() => Statements() >= expected, $"the poll of minute {minute}", cancellationToken: Token);
        }

        await _time.WhenWaitingAsync(1, Token);
        await CompleteLogAsync();
        Assert.Equal(before + 10, Statements());
        Assert.DoesNotContain(null, _seen);

        // Without those that reset a pooled connection, which cost no round trip.
        int Statements() => Count("") - Count("DISCARD ALL") - Count("the last one");
    }

    [Fact]
    public async Task WatchAsync_ManyWatches_ShareOneConnection()
    {
        await _fixture.ExecuteAsync($"ALTER DATABASE {_fixture.Database} SET log_statement = 'all'");
        var storage = await WatchAsync(new());
        for (var i = 0; i < 5; i++)
        {
            await using var other = storage.WatchAsync($"other{i}/", Token).GetAsyncEnumerator(Token);
            Assert.True(await other.MoveNextAsync());
        }

        await CompleteLogAsync();
        Assert.Equal(1, Count("LISTEN"));
    }

    [Fact]
    public async Task WatchAsync_Polling_ReportsWrittenAndDeletedKeysOnly()
    {
        var other = _fixture.Open();
        await other.WriteAsync("a/old", "1"u8.ToArray(), cancellationToken: Token);
        await other.WriteAsync("a/gone", "1"u8.ToArray(), cancellationToken: Token);
        await WatchAsync(new() { ListenForChanges = false });
        await other.WriteAsync("a/new", "1"u8.ToArray(), cancellationToken: Token);
        await other.DeleteAsync("a/gone", cancellationToken: Token);
        await PassAsync(Minute);

        await WaitForAsync("a/gone");
        await WaitForAsync("a/new");
        Assert.DoesNotContain("a/old", _seen);
        Assert.DoesNotContain(null, _seen);
    }

    [Theory]
    [InlineData(true, "TRUNCATE kestrelacme.entries, kestrelacme.leases, kestrelacme.counter")]
    [InlineData(false, "TRUNCATE kestrelacme.entries, kestrelacme.leases, kestrelacme.counter")]
    [InlineData(false, "UPDATE kestrelacme.counter SET version = version - 1")]
    [InlineData(false, "UPDATE kestrelacme.counter SET version = version + 100000")]
    public async Task WatchAsync_StoreWasEmptiedOrRestored_ReportsEverything(bool listen, string statement)
    {
        await _fixture.Open().WriteAsync("a/b", "1"u8.ToArray(), cancellationToken: Token);
        await WatchAsync(new() { ListenForChanges = listen });
        await _fixture.ExecuteAsync(statement);
        await PassAsync(Minute);

        await WaitForAsync(null);
    }

    [Fact]
    public async Task DeleteAsync_ManyChangesLater_IsForgotten()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a/1", "1"u8.ToArray(), cancellationToken: Token);
        await storage.DeleteAsync("a/1", cancellationToken: Token);
        await storage.WriteAsync("a/2", "1"u8.ToArray(), cancellationToken: Token);
        Assert.Equal("a/1", await DeletedAsync());
        await _fixture.ExecuteAsync("UPDATE kestrelacme.counter SET version = version + 10001");

        await storage.DeleteAsync("a/2", cancellationToken: Token);

        Assert.Equal("a/2", await DeletedAsync());

        Task<string> DeletedAsync() => _fixture.ExecuteAsync("SELECT key FROM kestrelacme.entries WHERE value IS NULL");
    }

    [Fact]
    public async Task WatchAsync_HostsArePoolersOfOneServer_StaysWhereItIs()
    {
        var hosts = new NpgsqlConnectionStringBuilder(_fixture.ConnectionString)
        {
            Host = $"127.0.0.1:{_fixture.Server.Port},localhost:{_fixture.Server.Port}", LoadBalanceHosts = true,
        };
        await WatchAsync(new(), connectionString: hosts.ConnectionString);
        for (var minute = 1; minute <= 4; minute++)
        {
            await PassAsync(Minute);
        }

        await _time.WhenWaitingAsync(1, Token);
        Assert.DoesNotContain(null, _seen);
        Assert.False(_fixture.Log.Has("WatchLost"), $"{_fixture.Log}");
    }

    [Fact]
    public async Task WatchAsync_UnreachableAtTheBeginning_ThrowsAndWorksLater()
    {
        var storage = _fixture.Open();
        await storage.CheckAsync(Token);
        await _fixture.BreakAsync();
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.WatchAsync("a/", Token).FirstAsync(Token));
        await _fixture.RestoreAsync();

        Assert.Equal(StorageChange.Everything, await storage.WatchAsync("a/", Token).FirstAsync(Token));
    }

    private async Task<PostgreSqlStorage> WatchAsync(
        PostgreSqlStorageOptions options, TimeProvider? time = null, string? connectionString = null)
    {
        var storage = _fixture.Open(connectionString ?? _fixture.ConnectionString, options, time ?? _time);
        var begun = new TaskCompletionSource();
        _watching = Task.Run(
            async () =>
            {
                await foreach (var change in storage.WatchAsync("a/", _stop.Token))
                {
                    if (!begun.TrySetResult())
                    {
                        _seen.Enqueue(change.Key);
                    }
                }
            },
            Token);
        await Task.WhenAny(begun.Task, _watching);
        return storage;
    }

    // The log is complete as soon as it shows a later statement.
    private async Task CompleteLogAsync()
    {
        var last = Count("the last one");
        await _fixture.ExecuteAsync("SELECT 'the last one'");
        await Poll.UntilAsync(() => Count("the last one") > last, "the log", cancellationToken: Token);
    }

    // The statements of this database in the log, which shows them as "execute <unnamed>: ..." or "statement: ...".
    private int Count(string part) => _fixture.Server.Output.Split('\n').Count(line =>
        line.StartsWith(_fixture.Database + ": LOG: ", StringComparison.Ordinal) && line.Contains(part, StringComparison.Ordinal));

    private async Task PassAsync(TimeSpan span)
    {
        await _time.WhenWaitingAsync(1, Token);
        _time.Advance(span);
    }

    private Task WaitForAsync(string? key) => Poll.UntilAsync(
        () => _seen.Contains(key),
        () => $"a notice of '{key ?? "everything"}'; seen: {string.Join(", ", _seen)}",
        cancellationToken: Token);
}
