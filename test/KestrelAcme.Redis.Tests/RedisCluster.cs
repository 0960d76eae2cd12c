using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Redis.Tests;

/// <summary>Three servers in cluster mode, each with a third of the slots; for all tests of a class, started by the first one.</summary>
public sealed class RedisCluster : IAsyncDisposable
{
    private RedisServer[]? _nodes;

    /// <summary>Returns the nodes, empty.</summary>
    internal async Task<RedisServer[]> GetAsync()
    {
        RedisServer.Require();
        var cli = RequireServer.Installed("redis-cli", "redis-tools");
        _nodes ??= await CreateAsync(cli);
        await Task.WhenAll(_nodes.Select(node => node.RunAsync("FLUSHALL")));
        return _nodes;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes ?? [])
        {
            await node.DisposeAsync();
        }
    }

    private static async Task<RedisServer[]> CreateAsync(string cli)
    {
        var nodes = new RedisServer[3];
        for (var i = 0; i < nodes.Length; i++)
        {
            nodes[i] = await RedisServer.StartAsync("--cluster-enabled", "yes", "--cluster-port", $"{FreePort.Tcp()}");
        }

        await Command.RunToSuccessAsync(
            cli, ["--cluster", "create", .. nodes.Select(node => $"127.0.0.1:{node.Port}"), "--cluster-yes"]);
        foreach (var node in nodes)
        {
            await Poll.UntilAsync(
                async _ => ((string)(await node.RunAsync("CLUSTER", "INFO"))!).Contains("cluster_state:ok", StringComparison.Ordinal),
                "the cluster to work");
        }

        return nodes;
    }
}
