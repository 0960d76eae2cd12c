using StackExchange.Redis;

namespace KestrelAcme.Redis;

/// <summary>
/// The keys in Redis. All have the same hash tag, the prefix: a script changes a value, the index, the version and checks a lease at once,
/// and on Redis Cluster a script can use keys of one slot only. Even ten thousand certificates are a small part of what one node holds.
/// </summary>
internal sealed class RedisKeys(string prefix)
{
    private readonly string _tag = $"{{{prefix}}}:";

    /// <summary>The keys of all values, in a sorted set of equal scores, which Redis sorts by name.</summary>
    public RedisKey Index => _tag + "index";

    /// <summary>The number of the last change. It grows with each, and is a time in microseconds.</summary>
    public RedisKey Version => _tag + "version";

    /// <summary>
    /// The last fencing number of all leases, a time in microseconds. One number for all names needs neither an expiry nor a clean-up.
    /// </summary>
    public RedisKey Fence => _tag + "fence";

    /// <summary>What <see cref="RedisHealthCheck"/> writes and removes.</summary>
    public RedisKey Probe => _tag + "probe";

    /// <summary>The channel of changes. Channels belong to no database, so its name contains the number of the database.</summary>
    public string Channel(int database) => $"{_tag}changes:{database}";

    public RedisKey Value(string key) => _tag + "value:" + key;

    public RedisKey Lease(string name) => _tag + "lease:" + name;
}
