using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges;

/// <summary>
/// Learns of the challenges that other instances share as soon as the store reports them, so that neither a request nor a connection has to
/// look for them. Registers this instance while it runs.
/// </summary>
internal sealed class ChallengeFeed(
    IEnumerable<ISharedChallengeTable> tables, Replicas replicas, BoundedStorage storage, TimeProvider time,
    ILogger<ChallengeFeed> logger, ConfigurationSource? configuration = null) : IDisposable, IAsyncDisposable
{
    private const string Prefix = "challenges/";

    private const int MaxChanges = 1024; // So many are taken over at once, even if there are more already.

    private const int MaxTries = 12; // A challenge that cannot be learned of for a minute is over, or was left behind.

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(5);

    // Those that started at the same moment are known by then.
    private static readonly TimeSpan FirstRefresh = TimeSpan.FromSeconds(10);

    private readonly ISharedChallengeTable[] _tables = [.. tables];
    private readonly AcknowledgmentWait _acknowledgments = new(replicas, storage, time, logger);
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _again = new(StringComparer.Ordinal);
    private Task _running = Task.CompletedTask;
    private bool _everything;
    private bool _mayBeEmptied;
    private bool _isUnconfirmed;
    private bool _failed;

    /// <summary>Starts to follow the store, once.</summary>
    public void Start()
    {
        if (_running.IsCompleted && !_stopping.IsCancellationRequested)
        {
            WatchDelayLimit.WarnIfExceeded(storage.WatchDelay, logger);
            _running = Task.Run(() => Task.WhenAll(
                BackgroundLoop.RunAsync(FollowAsync, TimeSpan.Zero, Pause, time, Report, _stopping.Token),
                replicas.FollowAsync(_stopping.Token)));
        }
    }

    /// <summary>Waits until this instance is registered and has learned what is stored, or until the time is over.</summary>
    public async Task WaitAsync(TimeSpan longest, CancellationToken cancellationToken)
        => await _ready.Task.WaitAsync(longest, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>
    /// Waits until every other running instance can respond to the challenges that this one shares. If it is the only one, the store may be
    /// away: it responds from memory.
    /// </summary>
    /// <param name="challenges">The challenges.</param>
    /// <param name="isFirst">Whether there is no certificate yet, so that other instances may not know its names.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="StorageUnavailableException">
    /// Other instances run, and cannot learn of the challenges: whichever of them the CA reaches would not respond.
    /// </exception>
    public async Task AwaitAcknowledgmentAsync(
        IEnumerable<ChallengeContext> challenges, bool isFirst, CancellationToken cancellationToken)
    {
        var (shares, delay, isLookedUp) = (new List<string>(), storage.WatchDelay, true);
        foreach (var challenge in challenges.Select(SharedChallenge.Of).OfType<SharedChallenge>())
        {
            if (Array.Find(_tables, table => table.Type == challenge.Type) is { } table
                && table.ShareOf(table.KeyOf(challenge)) is { } shared)
            {
                shares.Add(shared.Share);
                isLookedUp &= table.IsLookedUp && !(isFirst && delay > TimeSpan.Zero && IsNew(challenge));
                if (replicas.AreOthersKnown && !shared.IsWritten)
                {
                    throw new StorageUnavailableException(
                        "A challenge could not be stored for the other instances. It is submitted once they can respond to it.");
                }
            }
        }

        // An instance that does not look for challenges, or not for those of names that it does not know, has to learn of them first.
        delay = isLookedUp ? TimeSpan.Zero : delay;
        await _acknowledgments.AwaitAsync(shares, delay < WatchDelayLimit.Longest ? delay : WatchDelayLimit.Longest, cancellationToken);
    }

    // Whether other instances may not know the name: it is not in the configuration.
    private bool IsNew(SharedChallenge challenge)
        => configuration?.Current.Certificates.Any(c => c.Identifiers.Any(i => i.Value == challenge.Identifier)) == false;

    /// <summary>Lets other instances know that this one leaves. It still learns of challenges until it is disposed.</summary>
    public Task LeaveAsync() => _running.IsCompleted ? Task.CompletedTask : replicas.LeaveAsync();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelQuietlyAsync();
        await _running.WaitAsync(StopTime, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await replicas.LeaveAsync(); // A host whose start failed is not stopped before. Others would wait for it.
    }

    public void Dispose() => _stopping.CancelQuietly();

    private void Report(Exception exception)
    {
        _ready.TrySetResult();
        if (!_failed)
        {
            _failed = true;
            logger.ChallengesNotFollowed(exception.Message);
        }
    }

    private async Task FollowAsync(CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var changes = storage.WatchAsync(Prefix, end.Token).GetAsyncEnumerator(end.Token);
        var next = changes.MoveNextAsync().AsTask();
        try
        {
            var refreshedAt = time.GetTimestamp();
            var interval = FirstRefresh;
            for (var isRegistered = false; !stopping.IsCancellationRequested;)
            {
                while (next.IsCompleted && _changed.Count < MaxChanges)
                {
                    if (!await next)
                    {
                        throw new StorageUnavailableException("The store no longer reports changes.");
                    }

                    Note(changes.Current);
                    next = changes.MoveNextAsync().AsTask();
                }

                if (await TakeOverAsync(stopping) && !isRegistered)
                {
                    // Others wait for this instance from now on. What was shared before that is learned of by listing once more.
                    await replicas.RegisterAgainAsync(stopping);
                    (isRegistered, _everything, _mayBeEmptied, _failed) = (true, true, false, false);
                    await TakeOverAsync(stopping);
                    _ready.TrySetResult();
                    await replicas.MeetOthersAsync(stopping);
                }

                if (time.GetElapsedTime(refreshedAt) >= interval)
                {
                    (refreshedAt, interval) = (time.GetTimestamp(), Replicas.RefreshInterval);
                    await replicas.RefreshAsync(stopping);
                }

                await WaitAsync(next, interval - time.GetElapsedTime(refreshedAt), stopping);
            }
        }
        finally
        {
            // An enumerator cannot be disposed of while it waits.
            await end.CancelQuietlyAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await changes.DisposeAsync();
        }
    }

    private async Task WaitAsync(Task<bool> next, TimeSpan untilRefresh, CancellationToken stopping)
    {
        var longest = (_again.Count > 0 || _isUnconfirmed) && Pause < untilRefresh ? Pause : untilRefresh;
        using var limit = new TimeLimit(longest > TimeSpan.Zero ? longest : TimeSpan.Zero, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stopping, limit.Token);
        await ((Task)next).WaitAsync(both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (limit.IsCancellationRequested)
        {
            _changed.UnionWith(_again.Keys);
        }
    }

    private void Note(StorageChange change)
    {
        if (change.Key is not { } key)
        {
            (_everything, _mayBeEmptied) = (true, true);
        }
        else if (key.StartsWith(Replicas.AcknowledgmentsPrefix, StringComparison.Ordinal))
        {
            _acknowledgments.Heard(key);
        }
        else if (TableOf(key) is { } table && !table.IsOwn(key))
        {
            _changed.Add(key);
        }
    }

    private ISharedChallengeTable? TableOf(string key)
        => Array.Find(_tables, table => key.StartsWith(table.Prefix, StringComparison.Ordinal));

    // What cannot be read stays as it is and is read again later. What this instance already knows it keeps.
    /// <returns>Whether everything was listed.</returns>
    private async Task<bool> TakeOverAsync(CancellationToken cancellationToken)
    {
        var isWhole = _everything;
        if (isWhole)
        {
            _again.Clear();
            if (_mayBeEmptied)
            {
                await replicas.RegisterAgainAsync(cancellationToken);
                _mayBeEmptied = false;
            }

            foreach (var table in _tables)
            {
                await ListAsync(table, cancellationToken);
            }

            _everything = false;
        }

        if (_changed.Count > 0)
        {
            await ReadChangedAsync(cancellationToken);
        }

        if (_isUnconfirmed)
        {
            _isUnconfirmed = !await replicas.AcknowledgeAsync([.. _tables.SelectMany(table => table.Acknowledged)], cancellationToken);
        }

        return isWhole;
    }

    private async Task ReadChangedAsync(CancellationToken cancellationToken)
    {
        var missing = new HashSet<string>(_changed, StringComparer.Ordinal);
        await foreach (var (key, value) in TolerantReader.ReadManyAsync(storage, [.. _changed], Fail, logger, cancellationToken))
        {
            missing.Remove(key);
            await LearnAsync(key, value, cancellationToken);
        }

        foreach (var key in missing)
        {
            TableOf(key)?.Forget(key);
            _again.Remove(key);
        }

        _changed.Clear();
        _isUnconfirmed = true;

        void Fail(string key, string reason)
        {
            missing.Remove(key);
            TryAgain(key);
        }
    }

    private void TryAgain(string key)
    {
        var tries = _again[key] = _again.GetValueOrDefault(key) + 1;
        if (tries > MaxTries)
        {
            _again.Remove(key);
        }
    }

    private async Task ListAsync(ISharedChallengeTable table, CancellationToken cancellationToken)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var key in storage.ListAsync(table.Prefix, cancellationToken))
        {
            if (keys.Count < SharedChallengeTable<object>.MaxOpen)
            {
                keys.Add(key);
            }
        }

        table.ForgetAllBut(keys);
        await table.ShareAgainAsync(keys, cancellationToken);
        _changed.UnionWith(keys.Where(key => !table.IsOwn(key)));
    }

    private async Task LearnAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        try
        {
            if (TableOf(key) is not { } table || await table.LearnAsync(key, value, cancellationToken))
            {
                _again.Remove(key);
                return;
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The account cannot be read now, or someone wrote what no certificate can be made of. The others must not wait for it.
            logger.ChallengeNotLearned(Quoted.Name(key), exception.Message);
        }

        TryAgain(key);
    }
}
