using KestrelAcme.Storage.Contract;
using Xunit;

namespace KestrelAcme.Redis.Tests;

public sealed class RedisStorageValueTests(SharedRedis redis) : StorageValueContract, IClassFixture<SharedRedis>
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => new RedisFixture(await redis.GetAsync());
}

public sealed class RedisStorageLeaseTests(SharedRedis redis) : StorageLeaseContract, IClassFixture<SharedRedis>
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => new RedisFixture(await redis.GetAsync());
}

public sealed class RedisStorageWatchTests(SharedRedis redis) : StorageWatchContract, IClassFixture<SharedRedis>
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => new RedisFixture(await redis.GetAsync());
}

public sealed class RedisStorageFaultTests(SharedRedis redis) : StorageFaultContract, IClassFixture<SharedRedis>
{
    protected override async ValueTask<IStorageFixture> CreateAsync()
        => new RedisFixture(await redis.GetAsync()) { Text = RedisServer.Impatient };
}
