using System.Reflection;
using System.Text;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using StackExchange.Redis;
using Xunit;

namespace KestrelAcme.Redis.Tests;

/// <summary>Changes whose messages are lost, and what watching costs.</summary>
public sealed class RedisChangeTests(SharedRedis redis) : IClassFixture<SharedRedis>
{
    private const string VersionKey = "{kestrelacme}:version";
    private const string Channel = "{kestrelacme}:changes:0";

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly byte[] Value = Encoding.UTF8.GetBytes("value");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WatchAsync_MessageWasLost_ReportsEverythingWithinAMinute()
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var changes = await WatchAsync(fixture.Open());
        await server.RunAsync("SET", VersionKey, "5");

        var next = NextAsync(changes);
        await AdvanceUntilAsync(fixture, () => next.IsCompleted);
        Assert.True(await next);
        Assert.Null(changes.Current.Key);
    }

    [Fact]
    public async Task WatchAsync_StoreWasEmptied_ReportsEverythingWithinAMinute()
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var storage = fixture.Open();
        await storage.WriteAsync("a/b", Value, cancellationToken: Token);
        var changes = await WatchAsync(storage);
        await server.RunAsync("FLUSHALL");

        var next = NextAsync(changes);
        await AdvanceUntilAsync(fixture, () => next.IsCompleted);
        Assert.Null(changes.Current.Key);
        Assert.Empty(await storage.ListAsync("", Token).ToListAsync(Token));
    }

    [Fact]
    public async Task WatchAsync_GapBetweenMessages_ReportsEverythingAtOnce()
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var storage = fixture.Open();
        await storage.WriteAsync("a/b", Value, cancellationToken: Token);
        var changes = await WatchAsync(storage);

        // Another instance has written, but its message did not arrive.
        await server.RunAsync("INCR", VersionKey);
        await storage.WriteAsync("c", Value, cancellationToken: Token);
        Assert.True(await NextAsync(changes));
        Assert.Null(changes.Current.Key);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("1 2 ../../etc/passwd")]
    [InlineData("1 99999999999999999999 a/b")]
    [InlineData("-1 -2 a/b")]
    public async Task WatchAsync_ForeignMessage_IsIgnored(string message)
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var storage = fixture.Open();
        var changes = await WatchAsync(storage);
        await server.RunAsync("PUBLISH", Channel, message);
        await storage.WriteAsync("a/b", Value, cancellationToken: Token);
        Assert.True(await NextAsync(changes));
        Assert.Equal("a/b", changes.Current.Key);
    }

    [Fact]
    public async Task WatchAsync_FirstConnectionIsReportedLate_ReportsOnlyTheChange()
    {
        var server = await redis.GetAsync();
        var connection = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        await using var fixture = new RedisFixture(server) { Connection = connection };
        var storage = fixture.Open();
        var changes = await WatchAsync(storage);
        await Poll.UntilAsync(() => fixture.Time.NextTimerDue is not null, "the first pause", cancellationToken: Token);
        fixture.Time.Advance(TimeSpan.FromSeconds(5));
        await Poll.UntilAsync(() => fixture.Time.NextTimerDue == Minute, "the pause", cancellationToken: Token);

        RaiseRestored(connection);
        await Poll.UntilAsync(() => fixture.Time.NextTimerDue < Minute, "the next subscription", cancellationToken: Token);

        await storage.WriteAsync("a/b", Value, cancellationToken: Token);
        Assert.True(await NextAsync(changes));
        Assert.Equal("a/b", changes.Current.Key);
    }

    [Fact]
    public async Task WatchAsync_NoRightToSubscribe_PollReportsChanges()
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var watching = fixture.OpenRedis("$SUBSCRIBE=");
        var changes = await WatchAsync(watching);
        await fixture.Open().WriteAsync("a/b", Value, cancellationToken: Token);

        var next = NextAsync(changes);
        await AdvanceUntilAsync(fixture, () => next.IsCompleted);
        Assert.Null(changes.Current.Key);
    }

    [Fact]
    public async Task WatchAsync_StoreIsUnreachableAtFirst_ReportsEverythingOnceItIsThere()
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server) { Text = RedisServer.Impatient };
        await fixture.BreakAsync();
        var changes = await WatchAsync(fixture.Open());
        var next = NextAsync(changes);
        await fixture.RestoreAsync();
        await AdvanceUntilAsync(fixture, () => next.IsCompleted);
        Assert.Null(changes.Current.Key);
        await fixture.Open().WriteAsync("a/b", Value, cancellationToken: Token);
        while (changes.Current.Key is null)
        {
            Assert.True(await NextAsync(changes));
        }

        Assert.Equal("a/b", changes.Current.Key);
    }

    [Fact]
    public async Task WatchAsync_AtRest_CostsOneGetAMinuteForAllWatchersOfAnInstance()
    {
        const int Minutes = 30;
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var storage = fixture.Open();
        await using var first = await WatchAsync(storage, "certificates/");
        await using var second = await WatchAsync(storage, "domains/");
        await server.RunAsync("CONFIG", "RESETSTAT");
        for (var minute = 1; minute <= Minutes; minute++)
        {
            // The first look comes sooner, because the subscription may be later than the connection.
            var expected = minute;
            var pause = minute == 1 ? TimeSpan.FromSeconds(5) : Minute;
            await Poll.UntilAsync(() => fixture.Time.NextTimerDue == pause, "the pause", cancellationToken: Token);
            await fixture.PassAsync(Minute);
            await Poll.UntilAsync(
                async _ => (await server.CountsAsync()).GetValueOrDefault("get") >= expected,
                "the poll",
                cancellationToken: Token);
        }

        // StackExchange.Redis pings once a minute of real time; the rest is what the test itself asks.
        var counts = await server.CountsAsync();
        string[] others = ["ping", "info", "config|resetstat", "keys", "echo", "replconf"];
        Assert.Equal(Minutes, counts["get"]);
        Assert.Empty(counts.Keys.Except(others).Except(["get"]));
    }

    [Fact]
    public async Task WatchAsync_NobodyWatchesAnyMore_EndsTheSubscriptionAndThePoll()
    {
        var server = await redis.GetAsync();
        await using var fixture = new RedisFixture(server);
        var changes = await WatchAsync(fixture.Open());
        Assert.Equal(1, await SubscribersAsync(server));
        await changes.DisposeAsync();
        await Poll.UntilAsync(async _ => await SubscribersAsync(server) == 0, "the subscription to end", cancellationToken: Token);
    }

    // The client does so from another thread, and so after a watch may have begun.
    private static void RaiseRestored(ConnectionMultiplexer connection)
    {
        var field = typeof(ConnectionMultiplexer).GetField(
            nameof(ConnectionMultiplexer.ConnectionRestored), BindingFlags.Instance | BindingFlags.NonPublic);
        ((EventHandler<ConnectionFailedEventArgs>)field!.GetValue(connection)!).Invoke(connection, null!);
    }

    // The limit only ends a test that has failed.
    private static Task<bool> NextAsync(IAsyncEnumerator<StorageChange> changes)
        => changes.MoveNextAsync().AsTask().WaitAsync(Minute, TimeProvider.System, Token);

    private static async Task<long> SubscribersAsync(RedisServer server)
        => (long)((RedisResult[])(await server.RunAsync("PUBSUB", "NUMSUB", Channel))!)[1];

    private static async Task<IAsyncEnumerator<StorageChange>> WatchAsync(IAcmeStorage storage, string prefix = "a/")
    {
        var changes = storage.WatchAsync(prefix, Token).GetAsyncEnumerator(Token);
        Assert.True(await NextAsync(changes));
        Assert.Null(changes.Current.Key);
        return changes;
    }

    // The poll may not have begun to wait when the time passes.
    private static Task AdvanceUntilAsync(RedisFixture fixture, Func<bool> condition) => Poll.UntilAsync(
        () =>
        {
            fixture.Time.Advance(TimeSpan.FromSeconds(5));
            return condition();
        },
        "the poll to report it", cancellationToken: Token);
}
