using System.Globalization;
using System.Runtime.CompilerServices;
using KestrelAcme.Storage;

namespace KestrelAcme.Redis;

/// <summary>Tells all watchers of this instance about changes. One subscription and one poll serve all of them.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class RedisChangeHub(RedisStorage storage, RedisKeys keys, TimeProvider time) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Watcher> _watchers = [];
    private RedisFollower? _follower;
    private long? _version;

    public async IAsyncEnumerable<StorageChange> WatchAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var watcher = new Watcher(prefix, new StorageChangeFeed());
        var follower = Join(watcher);
        try
        {
            await follower.Active.WaitAsync(cancellationToken);
            await foreach (var change in watcher.Feed.ReadAllAsync(cancellationToken))
            {
                yield return change;
            }
        }
        finally
        {
            Leave(watcher);
        }
    }

    /// <summary>How long it may take until a change is noticed.</summary>
    public TimeSpan Delay
    {
        get
        {
            lock (_gate)
            {
                return _follower is { IsSubscribed: false } ? RedisFollower.Interval : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Passes on a message. If it does not follow the last one, others were lost.</summary>
    public void OnMessage(string? message)
    {
        if (message?.Split(' ', 3) is not [var before, var now, var key] || !StorageKey.IsValid(key)
            || !long.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out var previous)
            || !long.TryParse(now, NumberStyles.None, CultureInfo.InvariantCulture, out var version))
        {
            return;
        }

        lock (_gate)
        {
            var isGap = _version is { } known && version > known && previous != known;
            _version = Math.Max(version, _version ?? 0);
            foreach (var watcher in _watchers)
            {
                if (isGap)
                {
                    watcher.Feed.Post(StorageChange.Everything);
                }
                else if (key.StartsWith(watcher.Prefix, StringComparison.Ordinal))
                {
                    watcher.Feed.Post(new(key));
                }
            }
        }
    }

    /// <summary>Compares the version in Redis with the last one that was seen.</summary>
    /// <param name="version">The version in Redis; 0 if there is none.</param>
    /// <param name="isGap">Whether anything may have been missed, whatever the version.</param>
    public void OnVersion(long version, bool isGap)
    {
        lock (_gate)
        {
            if (isGap || (_version is { } known && version != known))
            {
                _watchers.ForEach(watcher => watcher.Feed.Post(StorageChange.Everything));
            }

            _version = version;
        }
    }

    /// <summary>Ends the subscription.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _follower?.Stop();
            _follower = null;
        }
    }

    private RedisFollower Join(Watcher watcher)
    {
        lock (_gate)
        {
            _watchers.Add(watcher);
            if (_follower is null)
            {
                _version = null;
                _follower = new RedisFollower(storage, keys, this, time);
                _follower.Start();
            }

            return _follower;
        }
    }

    private void Leave(Watcher watcher)
    {
        lock (_gate)
        {
            _watchers.Remove(watcher);
            if (_watchers.Count == 0)
            {
                _follower?.Stop();
                _follower = null;
            }
        }
    }

    private sealed record Watcher(string Prefix, StorageChangeFeed Feed);
}
