using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Azure.Storage.Blobs;

/// <summary>
/// Announces this instance's changes, and polls for those of the others: one poll serves all watches of this instance. Thread-safe.
/// </summary>
/// <remarks>
/// An instance at rest sends one small request per interval. A value is written first and announced afterwards; a crash in between leaves
/// a change unannounced, therefore watches report everything every six hours.
/// </remarks>
internal sealed class ChangeLog(BlobContainer container, TimeSpan interval, TimeProvider time) : IDisposable, IAsyncDisposable
{
    private const int MaxBatch = 2_000;
    private static readonly TimeSpan EverythingInterval = TimeSpan.FromHours(6);

    private readonly ChangeBlob _blob = new(container);
    private readonly ChangePace _pace = new(interval, time);
    private readonly string _instance = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _appending = new(1);
    private readonly SemaphoreSlim _polling = new(1);
    private readonly List<string> _pending = [];
    private readonly List<(string Prefix, StorageChangeFeed Feed)> _watchers = [];
    private ChangePosition? _position;
    private long _reportedAll;
    private TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource? _stop;
    private Task _loop = Task.CompletedTask;

    /// <summary>Why the last change could not be announced; <see langword="null"/> if it was.</summary>
    public string? Failure { get; private set; }

    /// <summary>
    /// Tells this instance's watches at once, and the others by the log. Never fails: the line is written later if need be.
    /// </summary>
    public async ValueTask AnnounceAsync(string key, CancellationToken cancellationToken)
    {
        Notify(key);
        lock (_gate)
        {
            _pending.Add(key);
        }

        Hurry(pace => pace.Wrote(key));
        try
        {
            await FlushAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
        {
            // The value is written. The next write or poll announces this one, too.
            Failure = exception.Message;
        }
    }

    /// <summary>Looks more often for a while, because another instance has a lease that this one asked for.</summary>
    public void NoteRefused(string lease) => Hurry(pace => pace.Refused(lease));

    private void Hurry(Func<ChangePace, bool> note)
    {
        lock (_gate)
        {
            if (note(_pace))
            {
                _wake.TrySetResult();
            }
        }
    }

    /// <summary>Watches the keys below a prefix until canceled.</summary>
    public async IAsyncEnumerable<StorageChange> WatchAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var watcher = (prefix, new StorageChangeFeed());
        await StartAsync(watcher, cancellationToken);
        try
        {
            await foreach (var change in watcher.Item2.ReadAllAsync(cancellationToken))
            {
                yield return change;
            }
        }
        finally
        {
            await StopAsync(watcher);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _stop?.CancelQuietly();
        }
    }

    public async ValueTask DisposeAsync()
    {
        CancellationTokenSource? stop;
        Task loop;
        lock (_gate)
        {
            (stop, loop) = (_stop, _loop);
            _stop = null;
        }

        await EndAsync(stop, loop);
    }

    private async Task StartAsync((string Prefix, StorageChangeFeed Feed) watcher, CancellationToken cancellationToken)
    {
        try
        {
            // From here on nothing is missed. If the store cannot be reached now, the first poll that succeeds reports everything.
            await PollAsync(cancellationToken);
        }
        catch (StorageUnavailableException)
        {
            // The reader learns it when it lists.
            _position = null;
        }

        lock (_gate)
        {
            _watchers.Add(watcher);
            if (_stop is null)
            {
                _stop = new CancellationTokenSource();
                _loop = LoopAsync(_stop.Token);
            }
        }
    }

    private async Task StopAsync((string Prefix, StorageChangeFeed Feed) watcher)
    {
        CancellationTokenSource? stop = null;
        var loop = Task.CompletedTask;
        lock (_gate)
        {
            _watchers.RemoveAll(one => ReferenceEquals(one.Feed, watcher.Feed));
            if (_watchers.Count == 0)
            {
                (stop, loop) = (_stop, _loop);
                (_stop, _position) = (null, null);
            }
        }

        await EndAsync(stop, loop);
    }

    private static async Task EndAsync(CancellationTokenSource? stop, Task loop)
    {
        if (stop is not null)
        {
            await stop.CancelQuietlyAsync();
            await loop;
            stop.Dispose();
        }
    }

    private async Task LoopAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await WaitAsync(stopping);
            try
            {
                await PollAsync(stopping);
            }
            catch (Exception)
            {
                // Whatever it is, the next round tries again. Others may have failed to announce their changes, too: once the store is
                // back, everything is reported.
                _position = null;
            }
        }
    }

    private async Task WaitAsync(CancellationToken stopping)
    {
        Task wake;
        TimeSpan pause;
        lock (_gate)
        {
            pause = _pace.Pause;
            _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
            wake = _wake.Task;
        }

        using var awake = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        await Task.WhenAny(Task.Delay(pause, time, awake.Token), wake);
        await awake.CancelQuietlyAsync();
    }

    private async Task PollAsync(CancellationToken cancellationToken)
    {
        await _polling.WaitAsync(cancellationToken);
        try
        {
            await FlushAsync(cancellationToken);
            var seen = await _blob.LookAsync(cancellationToken);
            if (_position is { } last && seen.Continues(last) && time.GetElapsedTime(_reportedAll) < EverythingInterval)
            {
                if (seen.Length > last.Length)
                {
                    await ReadAsync(last, seen, cancellationToken);
                }
            }
            else
            {
                _reportedAll = time.GetTimestamp();
                Notify(null);
            }

            _position = seen;
        }
        finally
        {
            _polling.Release();
        }
    }

    private async Task ReadAsync(ChangePosition from, ChangePosition to, CancellationToken cancellationToken)
    {
        foreach (var line in await _blob.ReadAsync(from, to, cancellationToken))
        {
            // An instance's own changes were reported when it made them.
            if (line.Split(' ') is [var instance, var key] && instance != _instance)
            {
                Hurry(pace => pace.OtherWrote(key));
                Notify(key);
            }
        }
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        await _appending.WaitAsync(cancellationToken);
        try
        {
            string[] batch;
            lock (_gate)
            {
                batch = [.. _pending.Take(MaxBatch)];
            }

            // Whoever was here before has written the lines of all who waited.
            if (batch.Length > 0)
            {
                var lines = string.Concat(batch.Distinct(StringComparer.Ordinal).Select(key => $"{_instance} {key}\n"));
                await _blob.AppendAsync(lines, cancellationToken);
                lock (_gate)
                {
                    _pending.RemoveRange(0, batch.Length);
                }

                Failure = null;
            }
        }
        finally
        {
            _appending.Release();
        }
    }

    private void Notify(string? key)
    {
        lock (_gate)
        {
            foreach (var (prefix, feed) in _watchers)
            {
                if (key is null || key.StartsWith(prefix, StringComparison.Ordinal))
                {
                    feed.Post(key is null ? StorageChange.Everything : new(key));
                }
            }
        }
    }
}
