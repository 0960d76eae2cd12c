using KestrelAcme.Storage;

namespace KestrelAcme.Redis;

/// <summary>A lease in Redis: a key that the server removes when the time is over.</summary>
internal sealed class RedisLease(
    RedisStorage storage, string name, string token, long fencingNumber, TimeSpan duration, TimeProvider time, long asked)
    : StorageLease(name, fencingNumber, duration, time, asked)
{
    /// <summary>What the key contains if this holder has the lease.</summary>
    public string Holder { get; } = $":{token}:{fencingNumber}:";

    protected override ValueTask<bool> ExtendAsync(CancellationToken cancellationToken) => storage.RenewAsync(this, cancellationToken);

    protected override ValueTask ReleaseAsync() => storage.ReleaseAsync(Name, Holder);
}
