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
/// respond to, so that an order is not validated before every instance can.
/// </summary>
/// <remarks>
/// Safe for concurrent use. Clocks of different machines are never compared: an instance is gone if its record has not changed for a while.
/// </remarks>
internal sealed class Replicas(
    BoundedStorage storage, TimeProvider time, ILogger<Replicas> logger, ConfigurationSource? configuration = null)
{
    public const string Prefix = "replicas/";
    public const string AcknowledgmentsPrefix = "challenges/acks/";

    // More than any fleet has: someone who fills the store must not make every order read it all.
    private const int MaxReplicas = 512;
    private const int MaxLength = 256 * 1024;
    private static readonly TimeSpan StaleAfter = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(2);

    // An instance that acknowledges other challenges runs, but has much to do.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LeaveTime = TimeSpan.FromSeconds(2);

    private readonly DateTimeOffset _started = time.GetUtcNow();
    private readonly ConcurrentDictionary<string, Seen> _seen = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _silent = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, LastHeard> _heard = new(StringComparer.Ordinal);
    private long _changes;
    private TaskCompletionSource _acknowledged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string[] _written = [];
    private int _beat;
    private bool _isRegistered;
    private bool _failed;
    private volatile bool _hasLeft;

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

    /// <summary>Changes this instance's record, and removes those of instances that are gone. Never fails because of the store.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await RegisterAsync(cancellationToken);
        try
        {
            await ListOthersAsync(cancellationToken);
            foreach (var (id, _) in _seen.Where(s => time.GetElapsedTime(s.Value.ChangedAt) >= StaleAfter).ToList())
            {
                await storage.DeleteAsync(Prefix + id, lease: null, cancellationToken);
                await storage.DeleteAsync(AcknowledgmentsPrefix + id, lease: null, cancellationToken);
                Drop(id);
                logger.ReplicaGone(Quoted.Name(id));
            }
        }
        catch (StorageUnavailableException)
        {
            // The next round tries again, or another instance does.
        }
    }

    /// <summary>Removes this instance's record, so that no order waits for it any longer. Never fails.</summary>
    public async Task LeaveAsync()
    {
        _hasLeft = true;
        using var limit = new TimeLimit(LeaveTime, time);
        try
        {
            await storage.DeleteAsync(Prefix + Id, lease: null, limit.Token).AsTask().WaitAsync(limit.Token);
            if (_written.Length > 0)
            {
                await storage.DeleteAsync(AcknowledgmentsPrefix + Id, lease: null, limit.Token).AsTask().WaitAsync(limit.Token);
            }
        }
        catch (Exception)
        {
            // Another instance removes the record when it has not changed for a while.
        }
    }

    /// <summary>
    /// Says which challenges of others this instance can respond to. Writes only if there are new ones, and only if others know of this
    /// instance.
    /// </summary>
    /// <returns><see langword="false"/> if the store could not be written; try again later.</returns>
    public async Task<bool> AcknowledgeAsync(string[] challenges, CancellationToken cancellationToken)
    {
        if (_hasLeft || !_isRegistered || challenges.All(_written.Contains))
        {
            return true;
        }

        try
        {
            var value = Encoding.ASCII.GetBytes(string.Join('\n', challenges));
            await storage.WriteAsync(AcknowledgmentsPrefix + Id, value, lease: null, cancellationToken);
            _written = challenges;
            return true;
        }
        catch (StorageUnavailableException)
        {
            return false;
        }
    }

    /// <summary>Takes note that an instance changed what it acknowledges: it is alive, and an order may wait for it.</summary>
    public void Heard(string key)
    {
        var id = key[AcknowledgmentsPrefix.Length..];
        _silent.TryRemove(id, out _);
        if (_seen.ContainsKey(id))
        {
            _heard[id] = new LastHeard(Interlocked.Increment(ref _changes), time.GetTimestamp());
        }

        Interlocked.Exchange(ref _acknowledged, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>
    /// Waits until every other running instance can respond to some challenges. An instance from which nothing is heard for two seconds is
    /// logged, and not waited for again until it is heard from. Without other instances, this does not wait.
    /// </summary>
    /// <exception cref="StorageUnavailableException">Others run, and the store is away.</exception>
    public async Task AwaitAsync(IReadOnlyCollection<string> challenges, CancellationToken cancellationToken)
    {
        if (challenges.Count == 0)
        {
            return;
        }

        try
        {
            var started = time.GetTimestamp();
            var others = await ListOthersAsync(cancellationToken).WaitAsync(LongestSilence, time, cancellationToken);
            var missing = others.Where(id => !_silent.ContainsKey(id)).ToHashSet(StringComparer.Ordinal);
            IReadOnlyCollection<string> heard = [.. missing];
            while (missing.Count > 0)
            {
                var signal = Volatile.Read(ref _acknowledged).Task;
                var now = Interlocked.Read(ref _changes);
                await DropAcknowledgedAsync(missing, heard, challenges, cancellationToken)
                    .WaitAsync(LongestSilence, time, cancellationToken);
                DropSilent(missing, started);

                // Not every store reports changes at once, so all are read again now and then.
                heard = missing.Count > 0 && await WaitAsync(signal, cancellationToken)
                    ? [.. missing.Where(id => _heard.GetValueOrDefault(id)?.Change > now)]
                    : [.. missing];
            }
        }
        catch (Exception exception) when (exception is TimeoutException || (exception is StorageUnavailableException && !AreOthersKnown))
        {
            // This instance responds from memory. Whether others can is not to be found out.
        }
    }

    private void DropSilent(HashSet<string> missing, long started)
    {
        var isOver = time.GetElapsedTime(started) >= LongestWait;
        var silent = missing
            .Where(id => isOver || time.GetElapsedTime(Math.Max(started, _heard.GetValueOrDefault(id)?.At ?? 0)) >= LongestSilence)
            .ToList();
        foreach (var id in silent)
        {
            missing.Remove(id);
            _silent[id] = true;
        }

        var hosts = string.Join(", ", silent.Take(8).Select(id => _seen.GetValueOrDefault(id)?.Host ?? id));
        if (silent.Count > 0)
        {
            logger.ReplicasSilent(silent.Count, hosts, LongestSilence.TotalSeconds);
        }
    }

    /// <returns>Whether an instance was heard from.</returns>
    private async Task<bool> WaitAsync(Task signal, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(Poll, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        await signal.WaitAsync(both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return signal.IsCompleted;
    }

    private async Task DropAcknowledgedAsync(
        HashSet<string> missing, IReadOnlyCollection<string> heard, IReadOnlyCollection<string> challenges,
        CancellationToken cancellationToken)
    {
        if (heard.Count == 0)
        {
            return;
        }

        await foreach (var (key, value) in storage.ReadManyAsync([.. heard.Select(id => AcknowledgmentsPrefix + id)], cancellationToken))
        {
            if (value.Length <= MaxLength && challenges.All(Encoding.ASCII.GetString(value.Span).Split('\n').Contains))
            {
                missing.Remove(key[AcknowledgmentsPrefix.Length..]);
            }
        }
    }

    /// <summary>Reads the records of the other instances, and returns the IDs of those that are not known to be gone.</summary>
    private async Task<List<string>> ListOthersAsync(CancellationToken cancellationToken)
    {
        var keys = new List<string>();
        await foreach (var key in storage.ListAsync(Prefix, cancellationToken))
        {
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

        foreach (var id in _seen.Keys.Where(id => !there.Contains(id)))
        {
            Drop(id);
        }

        var others = there.Where(id => time.GetElapsedTime(_seen[id].ChangedAt) < StaleAfter).ToList();
        Places.Note(Id, others.Where(id => !_seen[id].ServesOnly));
        return others;
    }

    private void Drop(string id)
    {
        _seen.TryRemove(id, out _);
        _silent.TryRemove(id, out _);
        _heard.TryRemove(id, out _);
    }

    private void See(string id, ReadOnlyMemory<byte> value)
    {
        var hash = StorageKey.Hash(Encoding.UTF8.GetString(value.Span));
        if (_seen.TryGetValue(id, out var known) && known.Hash == hash)
        {
            return;
        }

        var record = ReplicaRecord.Decode(value.Span);
        _seen[id] = new Seen(hash, record?.Host, record is { ServesOnly: true }, time.GetTimestamp());
        _silent.TryRemove(id, out _);
    }

    /// <summary>What was seen of another instance's record, and when it changed by this instance's clock.</summary>
    private sealed record Seen(string Hash, string? Host, bool ServesOnly, long ChangedAt);
}
