using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Challenges;

/// <summary>
/// Looks up shared answers for everybody who asks at once: a name is read once for all who wait for it, and all names that wait are read
/// together. Strangers choose what is asked for and how often:
/// they keep the store a little busy, and keep no authority from its answer.
/// </summary>
/// <remarks>
/// Safe for concurrent use. Who asks gets what a read found that began afterwards: an answer that was shared the moment before is not
/// missed because somebody asked too early.
/// </remarks>
internal sealed class SharedAnswerReader(SharedAnswers answers, TimeProvider time)
{
    // So many connections wait at most; each of them costs memory.
    public const int MaxWaiting = 4096;

    // Few enough that a store which reads them one by one is done in time.
    private const int BatchSize = 16;
    private const int MaxReads = 4;
    private static readonly TimeSpan ReadTime = TimeSpan.FromSeconds(5);

    // While more names come in than one read takes.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new();
    private readonly Queue<string> _order = new();
    private readonly Dictionary<string, TaskCompletionSource<string?>> _asked = new(StringComparer.Ordinal);
    private int _waiting;
    private int _reads;

    /// <summary>The answer that any instance shares under a name; <see langword="null"/> for none.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked, or too many wait for it.</exception>
    public async Task<string?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            throw new StorageUnavailableException($"{MaxWaiting} connections wait for the store already.");
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
            if (_asked.TryGetValue(name, out var asked))
            {
                return asked.Task;
            }

            _asked[name] = asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _order.Enqueue(name);
            if (_reads < MaxReads)
            {
                _reads++;
                _ = Task.Run(ReadAsync, CancellationToken.None);
            }

            return asked.Task;
        }
    }

    private async Task ReadAsync()
    {
        while (Take() is { Count: > 0 } asked)
        {
            using var limit = new TimeLimit(ReadTime, time);
            try
            {
                var found = await answers.FindManyAsync(asked.Keys, limit.Token).WaitAsync(limit.Token);
                foreach (var (name, answer) in asked)
                {
                    answer.TrySetResult(found.GetValueOrDefault(name));
                }
            }
            catch (Exception exception)
            {
                // Whatever it is, those who wait must be told. Some of them may be gone.
                var failure = exception as StorageUnavailableException
                    ?? new StorageUnavailableException("The answer could not be read from the store.", exception);
                foreach (var answer in asked.Values)
                {
                    answer.TrySetException(failure);
                    _ = answer.Task.Exception;
                }
            }

            if (HasMore())
            {
                await Task.Delay(Pause, time, CancellationToken.None);
            }
        }
    }

    private bool HasMore()
    {
        lock (_gate)
        {
            return _order.Count > 0;
        }
    }

    private Dictionary<string, TaskCompletionSource<string?>> Take()
    {
        var asked = new Dictionary<string, TaskCompletionSource<string?>>(StringComparer.Ordinal);
        lock (_gate)
        {
            while (asked.Count < BatchSize && _order.TryDequeue(out var name))
            {
                _asked.Remove(name, out var answer);
                asked[name] = answer!;
            }

            if (asked.Count == 0)
            {
                _reads--;
            }
        }

        return asked;
    }
}
