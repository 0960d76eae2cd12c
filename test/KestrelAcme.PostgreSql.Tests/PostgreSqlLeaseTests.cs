using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Npgsql;
using Xunit;

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>Leases by the server's clock, and numbers that never go back.</summary>
public sealed class PostgreSqlLeaseTests : IAsyncLifetime
{
    private const string Name = "orders/example.com";
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private PostgreSqlFixture _fixture = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _fixture = await PostgreSqlFixture.CreateAsync();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task WriteAsync_HolderWasStoppedPastTheEnd_IsRefused()
    {
        // Like a process after SIGSTOP and SIGCONT: its own clock has not moved, so that only the server knows.
        var stopped = _fixture.Open(_fixture.ConnectionString, time: new FakeTimeProvider());
        var other = _fixture.Open();
        var lease = await stopped.TryAcquireLeaseAsync(Name, TimeSpan.FromSeconds(1), Token);
        Assert.NotNull(lease);
        IStorageLease? next = null;
        await Poll.UntilAsync(
            async token => (next = await other.TryAcquireLeaseAsync(Name, Long, token)) is not null,
            "the lease to expire by the server's clock",
            cancellationToken: Token);
        await other.WriteAsync("a", "new"u8.ToArray(), next, Token);

        Assert.False(lease.Lost.IsCancellationRequested);
        await Assert.ThrowsAsync<LeaseLostException>(async () => await stopped.WriteAsync("a", "old"u8.ToArray(), lease, Token));
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.False(await lease.RenewAsync(Token));
        await lease.DisposeAsync();
        Assert.Null(await stopped.TryAcquireLeaseAsync(Name, Long, Token));
        Assert.True((await stopped.ReadAsync("a", Token))!.Value.Span.SequenceEqual("new"u8));
    }

    [Fact]
    public async Task CheckAsync_LeaseEndedTwoDaysAgo_IsForgottenAndNumbersGrow()
    {
        var storage = _fixture.Open();
        var old = await storage.TryAcquireLeaseAsync(Name, Long, Token);
        await (await storage.TryAcquireLeaseAsync("orders/new.com", Long, Token))!.DisposeAsync();
        await _fixture.ExecuteAsync($"UPDATE kestrelacme.leases SET expires = expires - interval '2 days' WHERE name = '{Name}'");

        Assert.True((await storage.CheckAsync(Token)).Writable);

        Assert.Equal("orders/new.com", await _fixture.ExecuteAsync("SELECT name FROM kestrelacme.leases"));
        await Assert.ThrowsAsync<LeaseLostException>(async () => await storage.WriteAsync("a", "1"u8.ToArray(), old, Token));
        await using var next = await _fixture.Open().TryAcquireLeaseAsync(Name, Long, Token);
        Assert.True(next!.FencingNumber > old!.FencingNumber);
    }

    [Fact]
    public async Task DeleteAsync_LeaseExpiredOnTheServerOnly_IsRefused()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token);
        await using var lease = await storage.TryAcquireLeaseAsync(Name, Long, Token);
        await _fixture.ExecuteAsync("UPDATE kestrelacme.leases SET expires = clock_timestamp()");

        await Assert.ThrowsAsync<LeaseLostException>(async () => await storage.DeleteAsync("a", lease, Token));
        Assert.NotNull(await storage.ReadAsync("a", Token));
    }

    [Fact]
    public async Task WriteAsync_LeaseExpiresWhileItWaits_NobodyAcquiresItBeforeTheWriteIsDone()
    {
        var storage = _fixture.Open(_fixture.ConnectionString, time: new FakeTimeProvider());
        var other = _fixture.Open();
        await using var source = NpgsqlDataSource.Create(_fixture.ConnectionString);
        await using var blocker = await source.OpenConnectionAsync(Token);
        await storage.CheckAsync(Token);
        await using (var transaction = await blocker.BeginTransactionAsync(Token))
        {
            await blocker.ScalarAsync("SELECT version FROM kestrelacme.counter FOR UPDATE", Token);
            var (lease, write) = await WriteWhileItHoldsAsync(storage);
            await Poll.UntilAsync(
                async _ => await _fixture.ExecuteAsync("SELECT expires < clock_timestamp() FROM kestrelacme.leases") == "t",
                "the lease to expire",
                cancellationToken: Token);
            var acquire = Task.Run(async () => await other.TryAcquireLeaseAsync(Name, Long, Token), Token);
            await WaitForLocksAsync(2);
            Assert.False(write.IsCompleted || acquire.IsCompleted);
            await transaction.CommitAsync(Token);
            await write;
            Assert.True((await acquire)!.FencingNumber > lease.FencingNumber);
        }
    }

    [Fact]
    public async Task FencingNumber_TableWasRestoredFromABackup_Grows()
    {
        var storage = _fixture.Open();
        var lease = await storage.TryAcquireLeaseAsync(Name, Long, Token);
        await _fixture.ExecuteAsync("UPDATE kestrelacme.leases SET number = 7, token = NULL; SELECT pg_sleep(0.002)");

        await using var next = await _fixture.Open().TryAcquireLeaseAsync(Name, Long, Token);

        Assert.True(next!.FencingNumber > lease!.FencingNumber);
        await Assert.ThrowsAsync<LeaseLostException>(async () => await storage.WriteAsync("a", "1"u8.ToArray(), lease, Token));
    }

    [Fact]
    public async Task FencingNumber_EmptiedAndTheClockWasSetBack_GrowsForEachInstance()
    {
        var storage = _fixture.Open();
        await using (await storage.TryAcquireLeaseAsync(Name, Long, Token))
        {
        }

        // As if the server's clock had been a year ahead.
        const long Year = 365L * 24 * 3600 * 1000;
        await _fixture.ExecuteAsync(FormattableString.Invariant($"UPDATE kestrelacme.leases SET number = number + {Year}"));
        long last;
        await using (var lease = await storage.TryAcquireLeaseAsync(Name, Long, Token))
        {
            last = lease!.FencingNumber;
        }

        await _fixture.EmptyAsync();
        await using var next = await storage.TryAcquireLeaseAsync(Name, Long, Token);
        Assert.True(next!.FencingNumber > last);
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_ResponseWasLost_TheHolderGetsItAtOnce()
    {
        // The same token again, as when the statement is repeated on a new connection.
        var schema = new PostgreSqlSchema(new());
        await _fixture.Open().CheckAsync(Token);
        await using var source = NpgsqlDataSource.Create(_fixture.ConnectionString);
        await using var connection = await source.OpenConnectionAsync(Token);
        var token = Guid.NewGuid();
        Task<object?> AcquireAsync(Guid id) => connection.ScalarAsync(
            schema.Acquire,
            Token,
            PostgreSqlCommands.Text(Name),
            PostgreSqlCommands.Id(id),
            PostgreSqlCommands.Interval(Long),
            PostgreSqlCommands.Number(0));
        var first = (long)(await AcquireAsync(token))!;

        Assert.True((long)(await AcquireAsync(token))! > first);
        Assert.Null(await AcquireAsync(Guid.NewGuid()));
    }

    // On a busy machine, a lease may expire before the write that waits for a lock has begun.
    private async Task<(IStorageLease Lease, Task Write)> WriteWhileItHoldsAsync(PostgreSqlStorage storage)
    {
        for (var duration = TimeSpan.FromSeconds(1); ; duration *= 2)
        {
            var lease = await storage.TryAcquireLeaseAsync(Name, duration, Token);
            Assert.NotNull(lease);
            var write = Task.Run(async () => await storage.WriteAsync("a", "1"u8.ToArray(), lease, Token), Token);
            await Poll.UntilAsync(
                async _ => write.IsCompleted || await CountLocksAsync() == "1", "the write to wait for a lock", cancellationToken: Token);
            if (!write.IsCompleted)
            {
                return (lease, write);
            }

            await Assert.ThrowsAsync<LeaseLostException>(() => write);
        }
    }

    private Task WaitForLocksAsync(int count) => Poll.UntilAsync(
        async _ => await CountLocksAsync() == $"{count}", $"{count} statements to wait for a lock", cancellationToken: Token);

    private Task<string> CountLocksAsync() => _fixture.ExecuteAsync(
        $"SELECT count(*) FROM pg_stat_activity WHERE datname = '{_fixture.Database}' AND wait_event_type = 'Lock'");
}
