using KestrelAcme.Storage.Contract;
using Xunit;

namespace KestrelAcme.Redis.Tests;

public sealed class RedisClusterValueTests(RedisCluster cluster) : StorageValueContract, IClassFixture<RedisCluster>
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => new RedisFixture(await cluster.GetAsync());

    [Fact]
    public async Task ReadManyAsync_Cluster_AsksOnceForAll()
    {
        var nodes = await cluster.GetAsync();
        var keys = Enumerable.Range(0, 50).Select(i => $"many/{i}").ToList();
        foreach (var key in keys)
        {
            await Storage.WriteAsync(key, Bytes(key), cancellationToken: Token);
        }

        await Task.WhenAll(nodes.Select(node => node.RunAsync("CONFIG", "RESETSTAT")));
        Assert.Equal(50, (await Storage.ReadManyAsync(keys, Token).ToListAsync(Token)).Count);
        var counts = await Task.WhenAll(nodes.Select(node => node.CountsAsync()));
        Assert.Equal(1, counts.Sum(count => count.GetValueOrDefault("mget")));
        Assert.Equal(0, counts.Sum(count => count.GetValueOrDefault("get")));
    }

    [Fact]
    public async Task AnyMember_UserWithTheDocumentedRights_WorksOnACluster()
    {
        var nodes = await cluster.GetAsync();
        string[] user = [.. RedisSecurityTests.DocumentedUser(), "+cluster|nodes", "+cluster|slots", "+asking"];
        await Task.WhenAll(nodes.Select(node => node.RunAsync(["ACL", "SETUSER", .. user])));
        await using var fixture = new RedisFixture(nodes);
        await RedisSecurityTests.UseEverythingAsync(fixture.OpenRedis($"user=kestrelacme,password={RedisSecurityTests.Password}"));
    }
}

public sealed class RedisClusterLeaseTests(RedisCluster cluster) : StorageLeaseContract, IClassFixture<RedisCluster>
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => new RedisFixture(await cluster.GetAsync());
}

public sealed class RedisClusterWatchTests(RedisCluster cluster) : StorageWatchContract, IClassFixture<RedisCluster>
{
    // A node passes a notice on to the others once. If the connection between them breaks, as it may on a busy machine, it is lost.
    protected override bool MayLoseNotices => true;

    protected override async ValueTask<IStorageFixture> CreateAsync() => new RedisFixture(await cluster.GetAsync());
}
