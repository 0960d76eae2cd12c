using System.Text;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Redis.Tests;

/// <summary>What CheckAsync finds, and what is refused: a Redis that evicts keys, loses them, or may not be asked.</summary>
public sealed class RedisHealthTests : IClassFixture<SharedRedis>, IAsyncLifetime
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly byte[] Value = Encoding.UTF8.GetBytes("value");

    private readonly SharedRedis _redis;
    private RedisServer _server = null!;
    private RedisFixture _fixture = null!;

    public RedisHealthTests(SharedRedis redis) => _redis = redis;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await _redis.GetAsync();
        _fixture = new RedisFixture(_server);
    }

    public async ValueTask DisposeAsync()
    {
        await _fixture.DisposeAsync();
        await SetAsync("maxmemory-policy", "noeviction", "maxmemory", "0", "appendonly", "yes", "save", "");
        await _server.RunAsync("REPLICAOF", "NO", "ONE");
    }

    [Fact]
    public async Task CheckAsync_InOrder_IsDurableAndHasNothingToExplain()
    {
        var health = await _fixture.Open().CheckAsync(Token);
        Assert.Equal((true, true, true, null), (health.Readable, health.Writable, health.Durable, health.Explanation));
        Assert.Equal($"Redis at 127.0.0.1:{_server.Port}", health.Place);
        Assert.Empty((string[])(await _server.RunAsync("KEYS", "*probe*"))!);
    }

    [Theory]
    [InlineData("allkeys-lru")]
    [InlineData("allkeys-random")]
    [InlineData("volatile-ttl")]
    public async Task CheckAsync_EvictingPolicy_IsRefusedWithTheFix(string policy)
    {
        await SetAsync("maxmemory", "100mb", "maxmemory-policy", policy);
        var storage = _fixture.Open();

        var health = await storage.CheckAsync(Token);
        Assert.Equal((true, false, false), (health.Readable, health.Writable, health.Durable));
        Assert.Contains($"maxmemory-policy is '{policy}'", health.Explanation, StringComparison.Ordinal);
        Assert.Contains("104857600 bytes", health.Explanation, StringComparison.Ordinal);
        Assert.Contains("Set maxmemory-policy to noeviction", health.Explanation, StringComparison.Ordinal);

        // Whatever the caller makes of it: without a lease nothing is ordered.
        var refusal = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.TryAcquireLeaseAsync("orders/a", Minute, Token));
        Assert.Contains("noeviction", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_EvictingPolicyWithoutACheck_IsRefusedUntilItIsCorrected()
    {
        await SetAsync("maxmemory", "100mb", "maxmemory-policy", "allkeys-lru");
        var storage = _fixture.Open();
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.TryAcquireLeaseAsync("orders/a", Minute, Token));

        await SetAsync("maxmemory-policy", "noeviction");
        _fixture.Time.Advance(Minute);
        Assert.NotNull(await storage.TryAcquireLeaseAsync("orders/a", Minute, Token));
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_PolicyIsInOrder_AsksOnce()
    {
        var storage = _fixture.Open();
        await storage.TryAcquireLeaseAsync("orders/a", Minute, Token);
        await _server.RunAsync("CONFIG", "RESETSTAT");
        _fixture.Time.Advance(TimeSpan.FromDays(1));
        await storage.TryAcquireLeaseAsync("orders/b", Minute, Token);
        var counts = await _server.CountsAsync();
        Assert.Equal(1, counts["evalsha"] + counts.GetValueOrDefault("eval"));
    }

    [Fact]
    public async Task CheckAsync_EvictingPolicyWithoutALimit_IsInOrder()
    {
        await SetAsync("maxmemory", "0", "maxmemory-policy", "allkeys-lru");
        var health = await _fixture.Open().CheckAsync(Token);
        Assert.Equal((true, true, null), (health.Writable, health.Durable, health.Explanation));
    }

    [Fact]
    public async Task CheckAsync_NoPersistence_IsNotDurableAndSaysWhatToSet()
    {
        await SetAsync("appendonly", "no");
        var health = await _fixture.Open().CheckAsync(Token);
        Assert.Equal((true, true, false), (health.Readable, health.Writable, health.Durable));
        Assert.Contains("Set 'appendonly yes'", health.Explanation, StringComparison.Ordinal);
        Assert.Contains("AllowEphemeralStorage", health.Explanation, StringComparison.Ordinal);

        await SetAsync("save", "3600 1");
        Assert.True((await _fixture.Open().CheckAsync(Token)).Durable);
    }

    [Fact]
    public async Task CheckAsync_AppsConnectionWithoutAdmin_ReadsThePolicyAllTheSame()
    {
        await SetAsync("maxmemory", "100mb", "maxmemory-policy", "allkeys-lru");
        await using var connection = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(_server.ConnectionString);
        await using var storage = new RedisStorage(
            RedisConnection.Borrow(() => connection, _fixture.Time), new RedisStorageOptions(), _fixture.Time);
        Assert.Contains("allkeys-lru", (await storage.CheckAsync(Token)).Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckAsync_ConfigIsForbidden_ReadsInfo()
    {
        await _server.RunAsync("ACL", "SETUSER", "noconfig", "on", ">noconfigpassword", "~*", "&*", "+@all", "-config");
        await SetAsync("maxmemory", "100mb", "maxmemory-policy", "allkeys-lru");
        var storage = _fixture.OpenRedis("user=noconfig,password=noconfigpassword");
        Assert.Contains("allkeys-lru", (await storage.CheckAsync(Token)).Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckAsync_InfoIsForbidden_ReadsConfig()
    {
        await _server.RunAsync("ACL", "SETUSER", "noinfo", "on", ">noinfopassword", "~*", "&*", "+@all", "-info");
        await SetAsync("maxmemory", "100mb", "maxmemory-policy", "allkeys-lru");
        var storage = _fixture.OpenRedis("user=noinfo,password=noinfopassword");
        var health = await storage.CheckAsync(Token);
        Assert.Contains("allkeys-lru", health.Explanation, StringComparison.Ordinal);
        Assert.Contains("104857600 bytes", health.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckAsync_NeitherIsAllowed_SaysSoAndDoesNotFail()
    {
        await _server.RunAsync("ACL", "SETUSER", "neither", "on", ">neitherpassword", "~*", "&*", "+@all", "-config", "-info");
        var storage = _fixture.OpenRedis("user=neither,password=neitherpassword");
        var health = await storage.CheckAsync(Token);
        Assert.Equal((true, true, true), (health.Readable, health.Writable, health.Durable));
        Assert.Contains("does not let this user read all settings", health.Explanation, StringComparison.Ordinal);
        Assert.Contains("noeviction", health.Explanation, StringComparison.Ordinal);
        Assert.NotNull(await storage.TryAcquireLeaseAsync("orders/a", Minute, Token));
    }

    [Fact]
    public async Task WriteAsync_MemoryIsFull_SaysWhatToDoAndKeepsWhatIsThere()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a", Value, cancellationToken: Token);
        await SetAsync("maxmemory", "1");

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.WriteAsync("a", new byte[100], cancellationToken: Token));
        Assert.Contains("has reached maxmemory", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Raise maxmemory", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{_server.Port}", failure.Message, StringComparison.Ordinal);
        Assert.Equal(Value, (await storage.ReadAsync("a", Token))!.Value.ToArray());
        var health = await storage.CheckAsync(Token);
        Assert.Equal((true, false), (health.Readable, health.Writable));
        Assert.Contains("Raise maxmemory", health.Explanation, StringComparison.Ordinal);
        Assert.True(await storage.DeleteAsync("a", cancellationToken: Token));
    }

    [Fact]
    public async Task WriteAsync_ServerBecameAReplica_IsUnavailableUntilItIsThePrimaryAgain()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a", Value, cancellationToken: Token);
        await _server.RunAsync("REPLICAOF", "127.0.0.1", "1");

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.WriteAsync("a", Value, cancellationToken: Token));
        Assert.Contains("read-only replica", failure.Message, StringComparison.Ordinal);
        Assert.False((await storage.CheckAsync(Token)).Writable);

        await _server.RunAsync("REPLICAOF", "NO", "ONE");
        await Poll.UntilAsync(
            async token => (await storage.CheckAsync(token)).Writable,
            "the server to be writable again",
            cancellationToken: Token);
        await storage.WriteAsync("a", Value, cancellationToken: Token);
    }

    [Fact]
    public async Task WriteAsync_LargestValue_ReadsBack()
    {
        var storage = _fixture.OpenRedis("syncTimeout=30000,asyncTimeout=30000");
        var value = new byte[StorageKey.MaxValueLength];
        new Random(1).NextBytes(value);
        await storage.WriteAsync("a", value, cancellationToken: Token);
        Assert.True((await storage.ReadAsync("a", Token))!.Value.Span.SequenceEqual(value));
    }

    [Fact]
    public async Task ListAsync_ManyKeys_ReturnsEachOnceWithoutScanningTheDatabase()
    {
        const int Count = 12_000;
        var storage = _fixture.Open();
        foreach (var batch in Enumerable.Range(0, Count).Chunk(1000))
        {
            await _server.RunAsync(["ZADD", "{kestrelacme}:index", .. batch.SelectMany(i => new[] { "0", $"many/{i:d5}" })]);
        }

        await _server.RunAsync("ZADD", "{kestrelacme}:index", "0", "many.other", "0", "many0", "0", "z/1");
        await _server.RunAsync("CONFIG", "RESETSTAT");
        Assert.Equal(
            Enumerable.Range(0, Count).Select(i => $"many/{i:d5}"), await storage.ListAsync("many/", Token).ToListAsync(Token));
        var counts = await _server.CountsAsync();
        Assert.Equal(3, counts["zrangebylex"]);
        Assert.DoesNotContain("scan", counts.Keys);
        Assert.DoesNotContain("keys", counts.Keys);
        Assert.Equal(Count + 3, await storage.ListAsync("", Token).CountAsync(Token));
    }

    [Fact]
    public async Task ReadManyAsync_OneServer_IsOneRoundTrip()
    {
        var storage = _fixture.Open();
        for (var i = 0; i < 64; i++)
        {
            await storage.WriteAsync($"many/{i}", Value, cancellationToken: Token);
        }

        await _server.RunAsync("CONFIG", "RESETSTAT");
        var read = await storage.ReadManyAsync([.. Enumerable.Range(0, 64).Select(i => $"many/{i}")], Token).CountAsync(Token);
        var counts = await _server.CountsAsync();
        Assert.Equal((64, 1, false), (read, counts["mget"], counts.ContainsKey("get")));
    }

    private async Task SetAsync(params string[] settings)
    {
        foreach (var pair in settings.Chunk(2))
        {
            await _server.RunAsync("CONFIG", "SET", pair[0], pair[1]);
        }
    }
}
