using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// One loop and one priority queue for all certificates: each has at most one time at which something is due and at most one work that runs, and there is a limit to all works at once.
/// </summary>
/// <remarks>Safe for concurrent use. A hundred thousand entries cost memory, not processor time.</remarks>
internal sealed class CertificateScheduler(TimeProvider time, ILogger<CertificateScheduler> logger)
{
    // Timers do not see the wall clock jump: it is looked at once a minute.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Entry, DateTimeOffset> _queue = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Dictionary<string, Task> _running = new(StringComparer.Ordinal);

    /// <summary>Sets when something is due for a certificate, replacing the time that was set before.</summary>
    public void Schedule(string id, DateTimeOffset due)
    {
        lock (_lock)
        {
            Enqueue(id, due);
        }

        _wake.Release();
    }

    /// <summary>Forgets a certificate. Work that runs for it goes on.</summary>
    public void Remove(string id)
    {
        lock (_lock)
        {
            _entries.Remove(id);
        }
    }

    /// <summary>Runs until cancelled; then waits for the work that is under way.</summary>
    /// <param name="work">Does what is due for a certificate; returns when something is due next, or <see langword="null"/> for never. Must not throw.</param>
    /// <param name="limit">How many works run at once; asked before each.</param>
    /// <param name="cancellationToken">Ends the loop.</param>
    public async Task RunAsync(Func<string, Task<DateTimeOffset?>> work, Func<int> limit, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var sleep = StartDueWork(work, limit());
            await SleepAsync(sleep, cancellationToken);
        }

        Task[] running;
        lock (_lock)
        {
            running = [.. _running.Values];
        }

        await Task.WhenAll(running);
    }

    private TimeSpan StartDueWork(Func<string, Task<DateTimeOffset?>> work, int limit)
    {
        while (true)
        {
            Entry entry;
            lock (_lock)
            {
                DropReplaced();
                if (_running.Count >= limit || !_queue.TryPeek(out entry!, out var due))
                {
                    return LongestSleep;
                }

                var wait = due - time.GetUtcNow();
                if (wait > TimeSpan.Zero)
                {
                    return wait < LongestSleep ? wait : LongestSleep;
                }

                _queue.Dequeue();
                _entries.Remove(entry.Id);
                _running.Add(entry.Id, Task.Run(() => RunOneAsync(entry.Id, work), CancellationToken.None));
            }
        }
    }

    // An entry that was replaced or removed is dropped; one whose certificate is being worked on waits for the end of the work.
    private void DropReplaced()
    {
        while (_queue.TryPeek(out var entry, out _)
            && (_running.ContainsKey(entry.Id) || !(_entries.TryGetValue(entry.Id, out var current) && ReferenceEquals(current, entry))))
        {
            _queue.Dequeue();
        }
    }

    private async Task RunOneAsync(string id, Func<string, Task<DateTimeOffset?>> work)
    {
        DateTimeOffset? next;
        try
        {
            next = await work(id);
        }
        catch (Exception exception)
        {
            // The work promised not to throw; a defect there must cost one certificate an hour, not all of them the loop.
            logger.WorkFailed(id, exception);
            next = time.GetUtcNow() + TimeSpan.FromHours(1);
        }

        Finish(id, next);
    }

    private void Finish(string id, DateTimeOffset? next)
    {
        lock (_lock)
        {
            _running.Remove(id);

            // Somebody may have asked for something sooner while the work ran.
            var asked = _entries.TryGetValue(id, out var entry) ? entry.Due : (DateTimeOffset?)null;
            if (next is null || asked < next)
            {
                next = asked;
            }

            if (next is { } due)
            {
                Enqueue(id, due);
            }
        }

        _wake.Release();
    }

    private void Enqueue(string id, DateTimeOffset due)
    {
        var entry = new Entry(id, due);
        _entries[id] = entry;
        _queue.Enqueue(entry, due);
    }

    private async Task SleepAsync(TimeSpan sleep, CancellationToken cancellationToken)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var timer = Task.Delay(sleep, time, limit.Token);
            await Task.WhenAny(timer, _wake.WaitAsync(limit.Token));
            await limit.CancelAsync();
        }
        catch (OperationCanceledException)
        {
            // The loop's condition tells.
        }

        while (_wake.Wait(0, CancellationToken.None))
        {
            // Many signals, one look.
        }
    }

    private sealed record Entry(string Id, DateTimeOffset Due);
}
