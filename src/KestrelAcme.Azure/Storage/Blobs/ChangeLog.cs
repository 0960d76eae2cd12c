using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Storage.Blobs.Models;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Azure.Storage.Blobs;

/// <summary>
/// The log of changes that all instances append to, and the one poll that serves all watches of this instance. Thread-safe.
/// </summary>
/// <remarks>
/// An append blob takes lines without conditions, and a look at its length tells whether there are new ones, so that an instance at rest
/// sends one small request per interval. A value is written first and announced afterwards; a crash in between leaves a change unannounced,
/// therefore watches report everything every six hours. The log starts again after 10,000 entries, with a new generation.
/// </remarks>
internal sealed class ChangeLog(BlobContainer container, TimeSpan interval, TimeProvider time) : IAsyncDisposable
{
    private const int MaxBlocks = 10_000;
    private const int MaxBatch = 2_000;
    private const long MaxRead = 4 * 1024 * 1024;
    private const string Generation = "generation";
    private const string First = "first";
    private static readonly TimeSpan BusyInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BusyTime = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan EverythingInterval = TimeSpan.FromHours(6);

    private readonly string _instance = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _appending = new(1);
    private readonly SemaphoreSlim _polling = new(1);
    private readonly List<string> _pending = [];
    private readonly List<(string Prefix, StorageChangeFeed Feed)> _watchers = [];
    private Position? _position;
    private long _reportedAll;
    private long? _busySince;
    private TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource? _stop;
    private Task _loop = Task.CompletedTask;

    /// <summary>Tells this instance's watches at once, and the others by the log. Never fails: the line is written later if need be.</summary>
    public async ValueTask AnnounceAsync(string key, CancellationToken cancellationToken)
    {
        Notify(key);
        lock (_gate)
        {
            _pending.Add(key);
        }

        Hurry();
        try
        {
            await FlushAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
        {
            // The value is written. The next write or poll announces this one, too.
        }
    }

    /// <summary>Polls more often for a while, because something is going on.</summary>
    public void Hurry()
    {
        lock (_gate)
        {
            var wasBusy = IsBusy;
            _busySince = time.GetTimestamp();
            if (!wasBusy)
            {
                _wake.TrySetResult();
            }
        }
    }

    /// <summary>Watches the keys below a prefix until canceled.</summary>
    public async IAsyncEnumerable<StorageChange> WatchAsync(
        string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
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

    private bool IsBusy => _busySince is { } since && time.GetElapsedTime(since) < BusyTime;

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
            catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
            {
                // Others may have failed to announce their changes: once the store is back, everything is reported.
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
            pause = IsBusy && BusyInterval < interval ? BusyInterval : interval;
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
            var seen = await LookAsync(cancellationToken);
            if (_position is { } last && seen.Continues(last) && time.GetElapsedTime(_reportedAll) < EverythingInterval)
            {
                if (seen.Length > last.Length)
                {
                    await ReadAsync(last.Length, seen.Length, cancellationToken);
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

    private async Task<Position> LookAsync(CancellationToken cancellationToken) => await container.SendAsync(
        "looking for changes",
        async token =>
        {
            try
            {
                var properties = (await container.Log(BlobNames.Changes).GetPropertiesAsync(cancellationToken: token)).Value;
                var generation = properties.Metadata.TryGetValue(Generation, out var value) ? value : "";
                return new Position(generation, properties.ContentLength, properties.Metadata.ContainsKey(First));
            }
            catch (RequestFailedException exception) when (BlobContainer.IsMissing(exception))
            {
                return new Position("", 0, IsFirst: false);
            }
        },
        cancellationToken);

    private async Task ReadAsync(long from, long to, CancellationToken cancellationToken)
    {
        var text = await container.SendAsync(
            "reading changes",
            async token =>
            {
                var options = new BlobDownloadOptions { Range = new HttpRange(from, to - from) };
                return (await container.Log(BlobNames.Changes).DownloadContentAsync(options, token)).Value.Content.ToString();
            },
            cancellationToken);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // An instance's own changes were reported when it made them.
            if (line.Split(' ') is [var instance, var key] && instance != _instance)
            {
                Hurry();
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
                await AppendAsync(string.Concat(batch.Distinct(StringComparer.Ordinal).Select(key => $"{_instance} {key}\n")), cancellationToken);
                lock (_gate)
                {
                    _pending.RemoveRange(0, batch.Length);
                }
            }
        }
        finally
        {
            _appending.Release();
        }
    }

    private Task<bool> AppendAsync(string lines, CancellationToken cancellationToken) => container.SendAsync(
        "announcing a change",
        async token =>
        {
            var log = container.Log(BlobNames.Changes);
            for (var attempt = 0; ; attempt++)
            {
                try
                {
                    using var content = new MemoryStream(Encoding.UTF8.GetBytes(lines));
                    var info = (await log.AppendBlockAsync(content, cancellationToken: token)).Value;
                    if (info.BlobCommittedBlockCount >= MaxBlocks)
                    {
                        await RestartAsync(new() { IfMatch = info.ETag }, isFirst: false, token);
                    }

                    return true;
                }
                catch (RequestFailedException exception) when (attempt < 3 && BlobContainer.IsMissing(exception))
                {
                    await RestartAsync(new() { IfNoneMatch = ETag.All }, isFirst: true, token);
                }
            }
        },
        cancellationToken);

    private async Task RestartAsync(AppendBlobRequestConditions conditions, bool isFirst, CancellationToken cancellationToken)
    {
        try
        {
            var metadata = new Dictionary<string, string> { [Generation] = Guid.NewGuid().ToString("N") };
            if (isFirst)
            {
                metadata[First] = "true";
            }

            var options = new AppendBlobCreateOptions { Conditions = conditions, Metadata = metadata };
            await container.Log(BlobNames.Changes).CreateAsync(options, cancellationToken);
        }
        catch (RequestFailedException exception) when (BlobContainer.IsConflict(exception))
        {
            // Another instance has restarted it, or has written more.
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

    /// <summary>Where an instance has read to.</summary>
    /// <param name="Generation">The log's generation; empty if there is no log.</param>
    /// <param name="Length">The length, in bytes.</param>
    /// <param name="IsFirst">Whether there was no log before this one.</param>
    private sealed record Position(string Generation, long Length, bool IsFirst)
    {
        /// <summary>Whether the lines after <paramref name="last"/> are all that has changed since.</summary>
        public bool Continues(Position last)
            => (Generation == last.Generation || (IsFirst && last.Generation.Length == 0)) && Length - last.Length is >= 0 and <= MaxRead;
    }
}
