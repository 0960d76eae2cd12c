using System.Collections.Concurrent;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelAcme.Challenges;

/// <summary>
/// Looks up challenges in the store that this instance has not learned of yet, for many requests at once. Anyone can choose which names are
/// requested and how often, so all names that wait share a round: one of them is read, and several are found by listing what is stored. The
/// number of rounds is limited. Whatever strangers request, a CA gets its response within a round.
/// </summary>
/// <remarks>
/// Safe for concurrent use. A request gets the result of a round that started after it, so a challenge that was shared just before is not
/// missed because of an earlier request. A name that was not found is not looked up again for a second. A name that could not be read, or
/// not at once, is read once more, and the first answer counts: a CA waits for ten seconds, and a store may lose one question.
/// </remarks>
internal sealed class SharedResponseReader(SharedChallengeTable<string> table, TimeProvider time)
{
    // The maximum number of waiting connections, because each takes memory.
    public const int MaxWaiting = 4096;

    /// <summary>The number of rounds that may follow each other at once.</summary>
    public const int Burst = 8;

    private const int MaxMissing = 4096;
    private static readonly TimeSpan ReadTime = TimeSpan.FromSeconds(5);

    // A request waits for 8 seconds: long enough for a second read, and the first one may still end.
    private static readonly TimeSpan SecondReadAfter = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Missing = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, long> _missing = new(StringComparer.Ordinal);
    private Dictionary<string, Question> _asked = new(StringComparer.Ordinal);
    private List<Question> _again = [];
    private int _waiting;
    private bool _reads;
    private double _rounds = Burst;
    private long _roundsAt = time.GetTimestamp();

    /// <summary>The interval of rounds if requests do not end. A round is one query, and one more if it finds something.</summary>
    public static TimeSpan RoundInterval { get; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Returns the response that any instance shares under a name; <see langword="null"/> if there is none.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read, or too many requests wait for it.</exception>
    public async Task<string?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (_missing.TryGetValue(name, out var at) && time.GetElapsedTime(at) < Missing)
        {
            return null;
        }

        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            throw new StorageUnavailableException($"{MaxWaiting} connections are already waiting for the store.");
        }

        try
        {
            return await AskAsync(name).WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private Task<string?> AskAsync(string name)
    {
        lock (_gate)
        {
            if (!_asked.TryGetValue(name, out var asked))
            {
                _asked[name] = asked = new Question(name);
                if (!_reads)
                {
                    _reads = true;
                    _ = Task.Run(ReadAllAsync, CancellationToken.None);
                }
            }

            return asked.Response.Task;
        }
    }

    private async Task ReadAllAsync()
    {
        while (true)
        {
            if (PauseBeforeRound() is { Ticks: > 0 } pause)
            {
                await Task.Delay(pause, time, CancellationToken.None);
                continue;
            }

            if (Take() is not { } asked)
            {
                return;
            }

            var reading = ReadAsync(asked);
            await ((Task)reading).WaitAsync(SecondReadAfter, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!reading.IsCompleted)
            {
                AskAgain(asked);
            }
            else if (!await reading)
            {
                await Task.Delay(PauseAfterFailure, time, CancellationToken.None);
            }
        }
    }

    /// <returns>Whether the store answered. Never fails.</returns>
    private async Task<bool> ReadAsync(List<Question> asked)
    {
        using var limit = new TimeLimit(ReadTime, time);
        try
        {
            var names = asked.Select(question => question.Name).ToHashSet(StringComparer.Ordinal);
            Respond(asked, await ReadAsync(names, limit.Token).WaitOrAbandonAsync(limit.Token));
            return true;
        }
        catch (Exception exception)
        {
            // Every waiting request must see the failure, whatever it is.
            AskAgain(asked);
            Fail(asked, exception as StorageUnavailableException
                ?? new StorageUnavailableException("The response could not be read from the store.", exception));
            return false;
        }
    }

    // Only what is not asked again, and what no other read may still answer.
    private void Fail(List<Question> asked, StorageUnavailableException failure)
    {
        lock (_gate)
        {
            foreach (var question in asked)
            {
                if (--question.Reads == 0 && !question.IsWaiting)
                {
                    // If a request is gone, its exception is never observed.
                    question.Response.TrySetException(failure);
                    _ = question.Response.Task.Exception;
                }
            }
        }
    }

    private void AskAgain(List<Question> asked)
    {
        lock (_gate)
        {
            foreach (var question in asked)
            {
                if (!question.IsSecond && !question.Response.Task.IsCompleted)
                {
                    (question.IsSecond, question.IsWaiting) = (true, true);
                    _again.Add(question);
                }
            }
        }
    }

    // Only this loop takes rounds. If they are used up, a round is gained in each interval.
    private TimeSpan PauseBeforeRound()
    {
        var now = time.GetTimestamp();
        _rounds = Math.Min(Burst, _rounds + (time.GetElapsedTime(_roundsAt, now) / RoundInterval));
        _roundsAt = now;
        if (_rounds >= 1)
        {
            _rounds--;
            return TimeSpan.Zero;
        }

        return (1 - _rounds) * RoundInterval + TimeSpan.FromMilliseconds(1);
    }

    private List<Question>? Take()
    {
        lock (_gate)
        {
            if (_asked.Count == 0 && _again.Count == 0)
            {
                // This round was not needed.
                _rounds++;
                _reads = false;
                return null;
            }

            List<Question> asked = [.. _asked.Values, .. _again];
            (_asked, _again) = (new(StringComparer.Ordinal), []);
            foreach (var question in asked)
            {
                question.Reads++;
                question.IsWaiting = false;
            }

            return asked;
        }
    }

    private async Task<Dictionary<string, string>> ReadAsync(ICollection<string> names, CancellationToken cancellationToken)
    {
        var byKey = names.ToDictionary(table.KeyOf, name => name, StringComparer.Ordinal);
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        if (byKey.Count == 1)
        {
            var (key, name) = byKey.Single();
            if (await table.Storage.ReadAsync(key, cancellationToken) is { } value
                && await table.RespondAsync(key, value, cancellationToken) is { } response)
            {
                found[name] = response;
            }

            return found;
        }

        var stored = new List<string>();
        await foreach (var key in table.Storage.ListAsync(table.Prefix, cancellationToken))
        {
            if (byKey.ContainsKey(key))
            {
                stored.Add(key);
            }
        }

        var failures = new List<string>();
        var values = TolerantReader.ReadManyAsync(
            table.Storage, stored, (_, reason) => failures.Add(reason), NullLogger.Instance, cancellationToken);
        await foreach (var (key, value) in values)
        {
            if (await table.RespondAsync(key, value, cancellationToken) is { } response)
            {
                found[byKey[key]] = response;
            }
        }

        return failures.Count == 0 || found.Count > 0 ? found : throw new StorageUnavailableException(failures[0]);
    }

    private void Respond(List<Question> asked, Dictionary<string, string> found)
    {
        if (_missing.Count > MaxMissing)
        {
            _missing.Clear();
        }

        var now = time.GetTimestamp();
        foreach (var question in asked)
        {
            if (found.TryGetValue(question.Name, out var value))
            {
                question.Response.TrySetResult(value);
            }
            else
            {
                _missing[question.Name] = now;
                question.Response.TrySetResult(null);
            }
        }
    }

    /// <summary>A name that requests wait for. Changed under the lock.</summary>
    private sealed class Question(string name)
    {
        public string Name => name;

        public TaskCompletionSource<string?> Response { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>How many reads may still answer it.</summary>
        public int Reads { get; set; }

        /// <summary>Whether it is, or was, read for the second time.</summary>
        public bool IsSecond { get; set; }

        /// <summary>Whether it waits to be read for the second time.</summary>
        public bool IsWaiting { get; set; }
    }
}
