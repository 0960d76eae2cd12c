using System.Collections.Concurrent;
using System.Text;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges;

/// <summary>
/// Has an order wait until the other running instances acknowledge its challenges. Remembers from which of them nothing is heard.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class AcknowledgmentWait(Replicas replicas, BoundedStorage storage, TimeProvider time, ILogger logger)
{
    private const int MaxLength = 256 * 1024;
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(2);

    // An instance that acknowledges other challenges runs, but has much to do.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PollLater = TimeSpan.FromSeconds(5);

    // A store may lose one question, or fail once. Each is asked this often before the store counts as unavailable.
    private const int MaxQuestions = 3;
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(2);

    // If the store is slow, the others are late, too: what they read and write takes as long.
    private static readonly TimeSpan LongestQuestion = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestInAll = TimeSpan.FromMinutes(1);

    // How long each was waited for in vain. It counts until the instance is heard from, or its record changes.
    private readonly ConcurrentDictionary<string, (TimeSpan Waited, Replicas.Other? Of)> _silent = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, LastHeard> _heard = new(StringComparer.Ordinal);
    private long _changes;
    private TaskCompletionSource _acknowledged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes note that an instance changed what it acknowledges: it is alive, and an order may wait for it.</summary>
    public void Heard(string key)
    {
        var id = key[Replicas.AcknowledgmentsPrefix.Length..];
        _silent.TryRemove(id, out _);
        if (replicas.Find(id) is not null)
        {
            _heard[id] = new LastHeard(Interlocked.Increment(ref _changes), time.GetTimestamp());
        }

        Interlocked.Exchange(ref _acknowledged, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>
    /// Waits until every other running instance can respond to some challenges. An instance from which nothing is heard for two seconds is
    /// logged, and not waited for again until it is heard from. Without other instances, this does not wait.
    /// </summary>
    /// <param name="challenges">What the others acknowledge (<see cref="SharedAs.Share"/>).</param>
    /// <param name="delay">How much longer it may take until another instance hears of a challenge.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="StorageUnavailableException">Others run, and the store is away.</exception>
    public async Task AwaitAsync(
        IReadOnlyCollection<string> challenges, TimeSpan delay, CancellationToken cancellationToken)
    {
        if (challenges.Count == 0)
        {
            return;
        }

        try
        {
            var asked = time.GetTimestamp();
            var (others, _) = await AskAsync(replicas.ListOthersAsync, cancellationToken);
            ForgetGone();
            var missing = others.Where(id => !IsSilent(id, delay)).ToHashSet(StringComparer.Ordinal);
            if (missing.Count > 0 && delay > LongestSilence)
            {
                logger.AcknowledgmentsAwaited(missing.Count, (delay + LongestSilence).TotalSeconds);
            }

            var started = time.GetTimestamp();
            IReadOnlyCollection<string> heard = [.. missing];
            while (missing.Count > 0)
            {
                var signal = Volatile.Read(ref _acknowledged).Task;
                var now = Interlocked.Read(ref _changes);
                var (acknowledged, wasSlow) = await AskAsync(
                    token => ListAcknowledgedAsync(heard, challenges, token), cancellationToken);
                missing.ExceptWith(acknowledged);

                // To the others, the store was as slow.
                started = wasSlow ? time.GetTimestamp() : started;
                DropSilent(missing, started, delay, time.GetElapsedTime(asked) >= LongestInAll + delay);

                // Not every store reports changes at once, so all are read again now and then.
                var poll = PollAfter(time.GetElapsedTime(started), delay);
                heard = missing.Count > 0 && await WaitAsync(signal, poll, cancellationToken)
                    ? [.. missing.Where(id => _heard.GetValueOrDefault(id)?.Change > now)]
                    : [.. missing];
            }
        }
        catch (StorageUnavailableException) when (!replicas.AreOthersKnown)
        {
            // This instance responds from memory. Whether others can is not to be found out.
        }
    }

    /// <summary>
    /// Asks the store. A question that is not answered soon is asked again, because it may be lost, and the first answer counts, because
    /// the store may as well be slow. Nothing was submitted yet: to wait costs the order nothing, to give up would be its failure.
    /// </summary>
    /// <returns>The answer, and whether it had to be asked for again.</returns>
    private async Task<(T Answer, bool WasSlow)> AskAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(LongestQuestion, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var open = new List<Task<T>>(MaxQuestions);
        var asked = 0;
        try
        {
            while (true)
            {
                if (asked < MaxQuestions)
                {
                    asked++;
                    open.Add(ask(both.Token).WaitOrAbandonAsync(both.Token));
                }

                var next = asked < MaxQuestions ? LongestAnswer : Timeout.InfiniteTimeSpan;
                var first = Task.WhenAny(open);
                await ((Task)first).WaitAsync(next, time, both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                both.Token.ThrowIfCancellationRequested();
                if (!first.IsCompleted)
                {
                    continue;
                }

                var answered = await first;
                open.Remove(answered);
                try
                {
                    return (await answered, asked > 1);
                }
                catch (StorageUnavailableException) when (asked < MaxQuestions || open.Count > 0)
                {
                    await Task.Delay(Poll, time, both.Token);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StorageUnavailableException(
                $"The store did not say within {LongestQuestion.TotalSeconds:0} s which instances can respond to a challenge. It is "
                + "submitted once they can.");
        }
        finally
        {
            // No one waits for what is still open.
            await both.CancelQuietlyAsync();
        }
    }

    private bool IsSilent(string id, TimeSpan delay)
        => _silent.TryGetValue(id, out var silent) && silent.Waited >= delay && ReferenceEquals(silent.Of, replicas.Find(id));

    private void ForgetGone()
    {
        foreach (var id in _silent.Keys.Concat(_heard.Keys).Where(id => replicas.Find(id) is null))
        {
            _silent.TryRemove(id, out _);
            _heard.TryRemove(id, out _);
        }
    }

    private static TimeSpan PollAfter(TimeSpan elapsed, TimeSpan delay)
    {
        var left = delay + LongestSilence - elapsed;
        return elapsed < LongestSilence || left < Poll ? Poll : left < PollLater ? left : PollLater;
    }

    private void DropSilent(HashSet<string> missing, long started, TimeSpan delay, bool isOver)
    {
        isOver |= time.GetElapsedTime(started) >= LongestWait + delay;
        var silence = LongestSilence + delay;
        var silent = missing
            .Where(id => isOver || time.GetElapsedTime(Math.Max(started, _heard.GetValueOrDefault(id)?.At ?? 0)) >= silence)
            .ToList();
        foreach (var id in silent)
        {
            missing.Remove(id);
            _silent[id] = (delay, replicas.Find(id));
        }

        var hosts = string.Join(", ", silent.Take(8).Select(id => replicas.Find(id)?.Host ?? id));
        if (silent.Count > 0)
        {
            logger.ReplicasSilent(silent.Count, hosts, silence.TotalSeconds);
        }
    }

    /// <returns>Whether an instance was heard from.</returns>
    private async Task<bool> WaitAsync(Task signal, TimeSpan poll, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(poll, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        await signal.WaitAsync(both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return signal.IsCompleted;
    }

    private async Task<List<string>> ListAcknowledgedAsync(
        IReadOnlyCollection<string> heard, IReadOnlyCollection<string> challenges, CancellationToken cancellationToken)
    {
        var acknowledged = new List<string>();
        if (heard.Count == 0)
        {
            return acknowledged;
        }

        string[] keys = [.. heard.Select(id => Replicas.AcknowledgmentsPrefix + id)];
        await foreach (var (key, value) in storage.ReadManyAsync(keys, cancellationToken))
        {
            if (value.Length <= MaxLength && challenges.All(Encoding.ASCII.GetString(value.Span).Split('\n').Contains))
            {
                acknowledged.Add(key[Replicas.AcknowledgmentsPrefix.Length..]);
            }
        }

        return acknowledged;
    }

    /// <summary>When an instance was last heard from.</summary>
    /// <param name="Change">Grows with each time that any instance is heard from.</param>
    /// <param name="At">The timestamp.</param>
    private sealed record LastHeard(long Change, long At);
}
