using System.Runtime.CompilerServices;

namespace KestrelAcme.Storage;

/// <summary>
/// Stores everything in the memory of this process, for tests and for apps that must not write to a disk. Nothing survives a restart.
/// </summary>
/// <remarks>Safe for concurrent use. Several hosts in one process may share one instance.</remarks>
public sealed class InMemoryStorage : IAcmeStorage, ILocalStorage
{
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, byte[]> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, InMemoryLease> _leases = new(StringComparer.Ordinal);
    private readonly List<(string Prefix, StorageChangeFeed Feed)> _watchers = [];

    /// <summary>Creates an empty store.</summary>
    /// <param name="timeProvider">The clock for leases. <value>By default, the system clock.</value></param>
    public InMemoryStorage(TimeProvider? timeProvider = null) => _time = timeProvider ?? TimeProvider.System;

    bool ILocalStorage.IsLocal => true;

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_values.TryGetValue(key, out var value) ? Copy(value) : null);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        foreach (var key in keys)
        {
            if (await ReadAsync(key, cancellationToken) is { } value)
            {
                yield return new(key, value);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        StorageKey.ThrowIfTooLong(value);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            ThrowIfLost(lease);
            _values[key] = value.ToArray();
            Notify(key);
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            ThrowIfLost(lease);
            var existed = _values.Remove(key);
            if (existed)
            {
                Notify(key);
            }

            return new(existed);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalidPrefix(prefix);
        await Task.CompletedTask;
        string[] keys;
        lock (_gate)
        {
            keys = [.. _values.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal))];
        }

        foreach (var key in keys)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return key;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StorageChange> WatchAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalidPrefix(prefix);
        var watcher = (prefix, new StorageChangeFeed());
        lock (_gate)
        {
            _watchers.Add(watcher);
        }

        try
        {
            await foreach (var change in watcher.Item2.ReadAllAsync(cancellationToken))
            {
                yield return change;
            }
        }
        finally
        {
            lock (_gate)
            {
                _watchers.Remove(watcher);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        StorageLease.ThrowIfInvalid(name, duration);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var last = _leases.GetValueOrDefault(name);
            if (last is { IsFree: false })
            {
                return new((IStorageLease?)null);
            }

            // Notifies the previous holder, even if its timer is late.
            last?.MarkLost();
            var lease = new InMemoryLease(name, (last?.FencingNumber ?? 0) + 1, duration, _time, _gate);
            _leases[name] = lease;
            return new(lease);
        }
    }

    /// <inheritdoc/>
    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
        => new(new StorageHealth(
            Readable: true,
            Writable: true,
            Durable: false,
            "memory",
            "What is stored is lost when the process ends. Use a disk or a shared store, or set AllowEphemeralStorage: true."));

    private static ReadOnlyMemory<byte>? Copy(byte[] value) => value.ToArray();

    private void ThrowIfLost(IStorageLease? lease)
    {
        if (lease is not null
            && (!_leases.TryGetValue(lease.Name, out var last) || last.IsFree
                || last.FencingNumber != lease.FencingNumber || lease.Lost.IsCancellationRequested))
        {
            throw new LeaseLostException(lease.Name);
        }
    }

    private void Notify(string key)
    {
        foreach (var (prefix, feed) in _watchers)
        {
            if (key.StartsWith(prefix, StringComparison.Ordinal))
            {
                feed.Post(new(key));
            }
        }
    }
}

/// <summary>A lease of <see cref="InMemoryStorage"/>. It changes only under the store's lock.</summary>
internal sealed class InMemoryLease(string name, long fencingNumber, TimeSpan duration, TimeProvider time, Lock gate)
    : StorageLease(name, fencingNumber, duration, time, time.GetTimestamp())
{
    private long _since = time.GetTimestamp();
    private bool _released;

    /// <summary>Whether others can acquire the lease. The holder assumes so a little earlier.</summary>
    public bool IsFree => _released || Time.GetElapsedTime(_since) >= Duration;

    protected override ValueTask<bool> ExtendAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (IsFree)
            {
                return new(false);
            }

            _since = Time.GetTimestamp();
            return new(true);
        }
    }

    protected override ValueTask ReleaseAsync()
    {
        lock (gate)
        {
            _released = true;
        }

        return ValueTask.CompletedTask;
    }
}
