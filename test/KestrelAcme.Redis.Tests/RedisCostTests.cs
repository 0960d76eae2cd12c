using System.Globalization;
using KestrelAcme.Storage.Contract;
using StackExchange.Redis;
using Xunit;

namespace KestrelAcme.Redis.Tests;

/// <summary>The commands that Redis gets; a script is one.</summary>
public sealed class RedisCostTests(SharedRedis redis) : StorageCostContract, IClassFixture<SharedRedis>
{
    protected override string Column => "Redis: commands";

    protected override async ValueTask<IStorageFixture> CreateAsync()
    {
        var server = await redis.GetAsync();
        var connection = await ConnectionMultiplexer.ConnectAsync($"{server.ConnectionString},allowAdmin=true");
        return new RedisFixture(server) { Connection = connection };
    }

    protected override async Task<string> CountAsync(Func<Task> operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        var connection = ((RedisFixture)Fixture).Connection!;
        var before = connection.GetCounters().Interactive.OperationCount;
        await operation();
        return (connection.GetCounters().Interactive.OperationCount - before).ToString(CultureInfo.InvariantCulture);
    }
}
