using KestrelAcme.Storage;
using KestrelAcme.Storage.Contract;
using KestrelAcme.Testing;
using StackExchange.Redis;

namespace KestrelAcme.Redis.Tests;

/// <summary>
/// A store on a running server. Time passes for the clients' clock, and for the server by shortening what is left of each lease: the test
/// does not wait, and does not depend on how busy the machine is.
/// </summary>
/// <param name="servers">One server, or the nodes of a cluster.</param>
internal sealed class RedisFixture(params RedisServer[] servers) : IStorageFixture
{
    private readonly List<RedisStorage> _opened = [];
    private bool _broken;

    public FakeTimeProvider Time { get; } = new();

    /// <summary>What is added to all connection strings.</summary>
    public string Text { get; init; } = "";

    /// <summary>The connection of all instances; <see langword="null"/> if each has its own.</summary>
    public ConnectionMultiplexer? Connection { get; init; }

    public IAcmeStorage Open(TimeSpan clockOffset = default) => OpenRedis(clockOffset: clockOffset);

    /// <param name="text">More of the connection string, such as <c>user=...</c>.</param>
    /// <param name="settings">The options.</param>
    /// <param name="clockOffset">How far the clock is ahead.</param>
    public RedisStorage OpenRedis(string text = "", RedisStorageOptions? settings = null, TimeSpan clockOffset = default)
    {
        var connection = Connection is { } shared
            ? RedisConnection.Borrow(() => shared, Time)
            : RedisConnection.Own(ConfigurationOptions.Parse($"{servers[0].ConnectionString},{Text},{text}"), Time);
        var storage = new RedisStorage(connection, settings ?? new RedisStorageOptions(), new OffsetTimeProvider(Time, clockOffset));
        lock (_opened)
        {
            _opened.Add(storage);
        }

        return storage;
    }

    public async Task PassAsync(TimeSpan span)
    {
        foreach (var server in servers)
        {
            foreach (var key in (string[])(await server.RunAsync("KEYS", "*:lease:*"))!)
            {
                // What is not above zero removes the key.
                var left = (long)await server.RunAsync("PTTL", key);
                await server.RunAsync("PEXPIRE", key, $"{left - (long)span.TotalMilliseconds}");
            }
        }

        Time.Advance(span);
    }

    public async Task<bool> BreakAsync()
    {
        _broken = true;
        await Task.WhenAll(servers.Select(server => server.KillAsync()));
        return true;
    }

    public async Task RestoreAsync()
    {
        _broken = false;
        await Task.WhenAll(servers.Select(server => server.StartAgainAsync()));
    }

    public async Task<bool> EmptyAsync()
    {
        await Task.WhenAll(servers.Select(server => server.RunAsync("FLUSHALL")));
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_opened.Select(storage => storage.DisposeAsync().AsTask()));
        await (Connection?.DisposeAsync() ?? ValueTask.CompletedTask);
        if (_broken)
        {
            await RestoreAsync();
        }
    }

    /// <summary>A clock whose date is off.</summary>
    private sealed class OffsetTimeProvider(TimeProvider inner, TimeSpan offset) : TimeProvider
    {
        public override long TimestampFrequency => inner.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + offset;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
            => inner.CreateTimer(callback, state, dueTime, period);
    }
}
