using System.Collections.Concurrent;
using System.Text;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges;

/// <summary>
/// The running instances that share the store. Each keeps a small record and changes it now and then, and each says which challenges it can
/// respond to, so that an order is not validated before every instance can (<see cref="AcknowledgmentWait"/>).
/// </summary>
/// <remarks>
/// Safe for concurrent use. Clocks of different machines are never compared: an instance is gone if its record has not changed for a while.
/// </remarks>
internal sealed class Replicas(
    BoundedStorage storage, TimeProvider time, ILogger<Replicas> logger, ConfigurationSource? configuration = null)
{
    public const string Prefix = "replicas/";
    public const string AcknowledgmentsPrefix = "challenges/acks/";

    // As many as fit into what others read.
    private const int MaxAcknowledged = 15_000;

    // More than any fleet has: someone who fills the store must not make every order read it all.
    private const int MaxReplicas = 512;
    private static readonly TimeSpan StaleAfter = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan LeaveTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FollowAgain = TimeSpan.FromMinutes(1);

    // Until then, all instances have registered again in a store that was emptied.
    private static readonly TimeSpan KeptWithoutRecord = TimeSpan.FromMinutes(6);

    private readonly DateTimeOffset _started = time.GetUtcNow();
    private readonly ConcurrentDictionary<string, Other> _seen = new(StringComparer.Ordinal);
    private string[] _acknowledged = [];
    private int _beat;
    private bool _isRegistered;
    private bool _failed;
    private volatile bool _hasLeft;
    private long _emptiedAt = -1;

    /// <summary>How often an instance changes its record: three times before others take it for gone.</summary>
    public static TimeSpan RefreshInterval { get; } = TimeSpan.FromMinutes(5);

    /// <summary>Identifies this instance as long as it runs.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Whether this instance knows of others.</summary>
    public bool AreOthersKnown => !_seen.IsEmpty;

    /// <summary>The place of this instance among those that order.</summary>
    public FleetPlaces Places { get; } = new();

    /// <summary>Writes this instance's record. A store that cannot be written is logged once.</summary>
    public async Task RegisterAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!_hasLeft)
            {
                var servesOnly = configuration?.Current.Issuance == IssuanceMode.ServeOnly;
                var record = ReplicaRecord.OfThisInstance(Id, _started, ++_beat) with { ServesOnly = servesOnly };
                await storage.WriteAsync(Prefix + Id, record.Encode(), lease: null, cancellationToken);
                (_isRegistered, _failed) = (true, false);
            }
        }
        catch (StorageUnavailableException exception)
        {
            if (!_failed)
            {
                _failed = true;
                logger.ReplicaNotRegistered(exception.Message);
            }
        }
    }

    /// <summary>Writes this instance's record, and in future what it acknowledges, as if neither had been written before.</summary>
    public Task RegisterAgainAsync(CancellationToken cancellationToken)
    {
        _acknowledged = [];
        return RegisterAsync(cancellationToken);
    }

    /// <summary>
    /// Learns which other instances run: one that knows of others submits no challenge to which they cannot respond because the store is
    /// away. Never fails because of the store.
    /// </summary>
    public async Task MeetOthersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ListOthersAsync(cancellationToken);
        }
        catch (StorageUnavailableException)
        {
            // The first refresh tries again.
        }
    }

    /// <summary>
    /// Learns of the first instance that starts while this one is alone. One that knows of others lists them again before each order.
    /// </summary>
    public Task FollowAsync(CancellationToken stopping) => BackgroundLoop.RunAsync(
        async token =>
        {
            await foreach (var change in storage.WatchAsync(Prefix, token))
            {
                if (!AreOthersKnown && change.Key is { } key && key != Prefix + Id)
                {
                    await MeetOthersAsync(token);
                }
            }
        },
        first: TimeSpan.Zero,
        FollowAgain,
        time,
        static _ => { }, // The feed reports what is wrong with the store.
        stopping);

    /// <summary>
    /// Says which challenges of others this instance can respond to (<see cref="SharedAs.Share"/>). Writes only if there are new ones, and
    /// only if others know of this instance.
    /// </summary>
    /// <returns><see langword="false"/> if the store could not be written; try again later.</returns>
    public async Task<bool> AcknowledgeAsync(string[] challenges, CancellationToken cancellationToken)
    {
        if (_hasLeft || !_isRegistered || challenges.All(_acknowledged.Contains))
        {
            return true;
        }

        try
        {
            var value = Encoding.ASCII.GetBytes(string.Join('\n', challenges.TakeLast(MaxAcknowledged)));
            await storage.WriteAsync(AcknowledgmentsPrefix + Id, value, lease: null, cancellationToken);
            _acknowledged = challenges;
            return true;
        }
        catch (StorageUnavailableException)
        {
            return false;
        }
    }

    /// <summary>Changes this instance's record, and removes those of instances that are gone. Never fails because of the store.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ListOthersAsync(cancellationToken);
            foreach (var (id, _) in _seen.Where(s => time.GetElapsedTime(s.Value.ChangedAt) >= StaleAfter).ToList())
            {
                await storage.DeleteAsync(Prefix + id, lease: null, cancellationToken);
                await storage.DeleteAsync(AcknowledgmentsPrefix + id, lease: null, cancellationToken);
                _seen.TryRemove(id, out _);
                logger.ReplicaGone(Quoted.Name(id));
            }
        }
        catch (StorageUnavailableException)
        {
            // The next round tries again, or another instance does.
        }

        // After the list, which tells whether the store was emptied.
        await RegisterAsync(cancellationToken);
    }

    /// <summary>Removes this instance's record, so that no order waits for it any longer. Never fails.</summary>
    public async Task LeaveAsync()
    {
        if (_hasLeft || _beat == 0)
        {
            _hasLeft = true;
            return;
        }

        _hasLeft = true;
        using var limit = new TimeLimit(LeaveTime, time);
        try
        {
            await storage.DeleteAsync(Prefix + Id, lease: null, limit.Token).AsTask().WaitAsync(limit.Token);
            if (_acknowledged.Length > 0)
            {
                await storage.DeleteAsync(AcknowledgmentsPrefix + Id, lease: null, limit.Token).AsTask().WaitAsync(limit.Token);
            }
        }
        catch (Exception)
        {
            // Another instance removes the record when it has not changed for a while.
        }
    }

    /// <summary>Returns what was seen last of another instance. It is another object when its record has changed.</summary>
    public Other? Find(string id) => _seen.GetValueOrDefault(id);

    /// <summary>Reads the records of the other instances, and returns the IDs of those that are not known to be gone.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async Task<List<string>> ListOthersAsync(CancellationToken cancellationToken)
    {
        var keys = new List<string>();
        var isListed = false;
        await foreach (var key in storage.ListAsync(Prefix, cancellationToken))
        {
            isListed |= key == Prefix + Id;
            if (key != Prefix + Id && keys.Count < MaxReplicas)
            {
                keys.Add(key);
            }
        }

        var there = new HashSet<string>(StringComparer.Ordinal);
        if (keys.Count > 0)
        {
            await foreach (var (key, value) in storage.ReadManyAsync(keys, cancellationToken))
            {
                var id = key[Prefix.Length..];
                there.Add(id);
                See(id, value);
            }
        }

        if (!isListed && _isRegistered && !_hasLeft)
        {
            // The store was emptied. The others still run.
            Interlocked.Exchange(ref _emptiedAt, time.GetTimestamp());
            await RegisterAgainAsync(cancellationToken);
        }

        var isFilling = Interlocked.Read(ref _emptiedAt) is >= 0 and var at && time.GetElapsedTime(at) < KeptWithoutRecord;
        foreach (var id in _seen.Keys.Where(id => !there.Contains(id)))
        {
            if (isFilling)
            {
                there.Add(id);
            }
            else
            {
                _seen.TryRemove(id, out _);
            }
        }

        var others = there
            .Where(id => _seen.GetValueOrDefault(id) is { } seen && time.GetElapsedTime(seen.ChangedAt) < StaleAfter)
            .ToList();
        Places.Note(Id, others.Where(id => _seen.GetValueOrDefault(id) is { ServesOnly: false }));
        return others;
    }

    private void See(string id, ReadOnlyMemory<byte> value)
    {
        var hash = StorageKey.Hash(Encoding.UTF8.GetString(value.Span));
        if (_seen.TryGetValue(id, out var known) && known.Hash == hash)
        {
            return;
        }

        var record = ReplicaRecord.Decode(value.Span);
        _seen[id] = new Other(hash, record?.Host, record is { ServesOnly: true }, time.GetTimestamp());
    }

    /// <summary>What was seen of another instance's record, and when it changed by this instance's clock.</summary>
    internal sealed record Other(string Hash, string? Host, bool ServesOnly, long ChangedAt);
}
