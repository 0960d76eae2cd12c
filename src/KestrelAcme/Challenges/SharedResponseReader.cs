using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Challenges;

/// <summary>
/// Looks up shared responses for many requests at once: each name is read once for all requests that wait for it, and all waiting names are
/// read together. Anyone can choose which names are requested and how often. Such requests keep the store a little busy, but do not prevent
/// a CA from getting its response.
/// </summary>
/// <remarks>
/// Safe for concurrent use. A request gets the result of a read that started after it, so a response that was shared just before is not
/// missed because of an earlier request.
/// </remarks>
internal sealed class SharedResponseReader(SharedChallengeResponses responses, TimeProvider time)
{
    // The maximum number of waiting connections, because each takes memory.
    public const int MaxWaiting = 4096;

    // Small enough for a store that reads values one by one to finish in time.
    private const int BatchSize = 16;
    private const int MaxReads = 4;
    private static readonly TimeSpan ReadTime = TimeSpan.FromSeconds(5);

    // The pause while names arrive faster than one read takes them.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new();
    private readonly Queue<string> _order = new();
    private readonly Dictionary<string, TaskCompletionSource<string?>> _asked = new(StringComparer.Ordinal);
    private int _waiting;
    private int _reads;

    /// <summary>Returns the response that any instance shares under a name; <see langword="null"/> if there is none.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read, or too many requests wait for it.</exception>
    public async Task<string?> FindAsync(string name, CancellationToken cancellationToken)
    {
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
                var found = await responses.FindManyAsync(asked.Keys, limit.Token).WaitAsync(limit.Token);
                foreach (var (name, response) in asked)
                {
                    response.TrySetResult(found.GetValueOrDefault(name));
                }
            }
            catch (Exception exception)
            {
                // Every waiting request must see the failure, whatever it is. If a request is gone, its exception is never observed.
                var failure = exception as StorageUnavailableException
                    ?? new StorageUnavailableException("The response could not be read from the store.", exception);
                foreach (var response in asked.Values)
                {
                    response.TrySetException(failure);
                    _ = response.Task.Exception;
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
                _asked.Remove(name, out var response);
                asked[name] = response!;
            }

            if (asked.Count == 0)
            {
                _reads--;
            }
        }

        return asked;
    }
}
