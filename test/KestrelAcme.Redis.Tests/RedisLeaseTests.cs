using System.Text;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Redis.Tests;

/// <summary>Leases beyond the contract: the server's own clock, fail-over, restarts, lost responses.</summary>
public sealed class RedisLeaseTests(SharedRedis redis) : IClassFixture<SharedRedis>
{
    private const string Name = "orders/example.com";
    private const string LeaseKey = "{kestrelacme}:lease:" + Name;
    private const string FenceKey = "{kestrelacme}:fence";

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly byte[] Value = Encoding.UTF8.GetBytes("value");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TryAcquireLeaseAsync_ServerEndsIt_OthersGetItAndTheStaleHolderIsRefused()
    {
        await using var fixture = new RedisFixture(await redis.GetAsync());
        // The holder's clock stands still: as after a pause of its process, only the server knows that the time is over.
        var stale = await AcquireAsync(fixture.Open(), TimeSpan.FromMilliseconds(200));
        var other = fixture.Open();
        IStorageLease? next = null;
        await Poll.UntilAsync(
            async token => (next = await other.TryAcquireLeaseAsync(Name, Minute, token)) is not null,
            "the lease to end",
            cancellationToken: Token);

        Assert.True(next!.FencingNumber > stale.FencingNumber);
        Assert.False(stale.Lost.IsCancellationRequested);
        await Assert.ThrowsAsync<LeaseLostException>(async () => await fixture.Open().WriteAsync("a", Value, stale, Token));
        Assert.True(stale.Lost.IsCancellationRequested);
        await other.WriteAsync("a", Value, next, Token);
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_ServerWasRestarted_IsStillHeldByTheSame()
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var storage = fixture.Open();
        await using var lease = await AcquireAsync(storage);
        await fixture.BreakAsync();
        await fixture.RestoreAsync();

        await Poll.UntilAsync(
            async token => (await storage.CheckAsync(token)).Writable,
            "the store to be reachable again",
            cancellationToken: Token);
        Assert.Null(await fixture.Open().TryAcquireLeaseAsync(Name, Minute, Token));
        await storage.WriteAsync("a", Value, lease, Token);
        Assert.True(await lease.RenewAsync(Token));
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_ScriptsWereFlushed_Works()
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var storage = fixture.Open();
        var lease = await AcquireAsync(storage);
        await server.RunAsync("SCRIPT", "FLUSH");

        Assert.True(await lease.RenewAsync(Token));
        await storage.WriteAsync("a", Value, lease, Token);
        await server.RunAsync("SCRIPT", "FLUSH");
        await lease.DisposeAsync();
        await AcquireAsync(storage);
    }

    [Fact]
    public async Task FencingNumber_Flushed_IsHigherThanAnyBefore()
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var storage = fixture.Open();
        long last = 0;
        for (var i = 0; i < 300; i++)
        {
            // Numbers that were only counted would begin anew here. Those of a busy server must not get ahead of its clock.
            if (i % 100 == 99)
            {
                await server.RunAsync("FLUSHALL");
            }

            var lease = await AcquireAsync(storage);
            Assert.True(lease.FencingNumber > last, $"{lease.FencingNumber} after {last}");
            last = lease.FencingNumber;
            await lease.DisposeAsync();
        }
    }

    [Fact]
    public async Task FencingNumber_ClockOfTheServerIsBehind_IsHigherThanTheStoredAndTheSeenNumber()
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var storage = fixture.Open();
        const long Ahead = 4_000_000_000_000_000;
        await server.RunAsync("SET", FenceKey, $"{Ahead}");
        var first = await AcquireAsync(storage);
        Assert.Equal(Ahead + 1, first.FencingNumber);

        // The new primary has none of it.
        await server.RunAsync("FLUSHALL");
        var second = await AcquireAsync(storage);
        Assert.Equal(Ahead + 2, second.FencingNumber);
    }

    [Fact]
    public async Task FencingNumber_FailOverToAnOlderReplica_GrowsAndTheOldHolderIsRefused()
    {
        var primary = await redis.GetAsync();
        await using var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", $"{primary.Port}");
        await using var fixture = new RedisFixture(primary);
        await using var after = new RedisFixture(replica);
        await (await AcquireAsync(fixture.Open())).DisposeAsync();
        await Poll.UntilAsync(
            async _ => !(await replica.RunAsync("GET", FenceKey)).IsNull,
            "the replica to follow",
            cancellationToken: Token);

        // From here on the replica is behind: it knows neither the lease nor its number.
        await replica.RunAsync("REPLICAOF", "NO", "ONE");
        var old = await AcquireAsync(fixture.Open());
        var promoted = after.Open();
        var next = await AcquireAsync(promoted);

        Assert.True(next.FencingNumber > old.FencingNumber);
        await Assert.ThrowsAsync<LeaseLostException>(async () => await promoted.WriteAsync("a", Value, old, Token));
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_ResponseIsLost_LeavesNoLeaseBehind()
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var storage = fixture.OpenRedis(RedisServer.Impatient);
        await Poll.UntilAsync(
            async token => await storage.TryAcquireLeaseAsync("orders/other", Minute, token) is not null,
            "a connection",
            cancellationToken: Token);

        // The server is too slow for the client, and grants the lease to nobody.
        await server.RunAsync("CLIENT", "PAUSE", "60000", "WRITE");
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.TryAcquireLeaseAsync(Name, 10 * Minute, Token));
        await server.RunAsync("CLIENT", "UNPAUSE");

        await Poll.UntilAsync(
            async _ => (long)await server.RunAsync("EXISTS", LeaseKey) == 0,
            "the lease to be released",
            cancellationToken: Token);
        await Poll.UntilAsync(
            async token => await fixture.Open().TryAcquireLeaseAsync(Name, Minute, token) is not null,
            "the lease to be free",
            cancellationToken: Token);
    }

    [Fact]
    public async Task WriteAsync_WrappedLease_IsCheckedByItsNumber()
    {
        await using var fixture = new RedisFixture(await redis.GetAsync());
        var storage = fixture.Open();
        var lease = await AcquireAsync(storage);
        await storage.WriteAsync("a", Value, new Wrapped(lease, lease.FencingNumber), Token);
        await Assert.ThrowsAsync<LeaseLostException>(
            async () => await storage.WriteAsync("a", Value, new Wrapped(lease, lease.FencingNumber - 1), Token));
    }

    [Fact]
    public async Task WriteAsync_LeaseOfAnotherName_IsRefused()
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var storage = fixture.Open();
        var lease = await AcquireAsync(storage);
        await server.RunAsync("RENAME", LeaseKey, "{kestrelacme}:lease:orders/other");
        await Assert.ThrowsAsync<LeaseLostException>(async () => await storage.WriteAsync("a", Value, lease, Token));
        Assert.Null(await storage.ReadAsync("a", Token));
    }

    private static async Task<IStorageLease> AcquireAsync(IAcmeStorage storage, TimeSpan? duration = null)
    {
        var lease = await storage.TryAcquireLeaseAsync(Name, duration ?? Minute, Token);
        Assert.NotNull(lease);
        return lease;
    }

    private sealed class Wrapped(IStorageLease inner, long number) : IStorageLease
    {
        public string Name => inner.Name;

        public long FencingNumber => number;

        public CancellationToken Lost => inner.Lost;

        public ValueTask<bool> RenewAsync(CancellationToken cancellationToken = default) => inner.RenewAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
