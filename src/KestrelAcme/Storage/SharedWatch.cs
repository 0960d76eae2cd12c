using System.Runtime.CompilerServices;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Storage;

/// <summary>Follows the changes of all instances until it fails or is canceled.</summary>
/// <param name="activate">Called as soon as every later change will be noticed.</param>
/// <param name="post">Called for each change.</param>
/// <param name="stop">Ends it.</param>
internal delegate Task FollowChanges(Action activate, Action<StorageChange> post, CancellationToken stop);

/// <summary>
/// Tells all watches of the process of the changes that one follower finds, and starts the follower again after a failure. It runs only
/// while there are watches.
/// </summary>
/// <remarks>Compiled into each storage that follows the changes of a database in one place.</remarks>
/// <param name="follow">Follows the changes.</param>
/// <param name="describe">Describes a failure of it.</param>
/// <param name="lost">Called with the reason when changes cannot be followed any more.</param>
/// <param name="restored">Called when they are followed again.</param>
/// <param name="time">The clock, for pauses.</param>
internal sealed class SharedWatch(
    FollowChanges follow,
    Func<Exception, StorageUnavailableException> describe,
    Action<string> lost,
    Action restored,
    TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly List<(string Prefix, StorageChangeFeed Feed)> _watches = [];
    private Run? _run;

    /// <summary>Reports the changes below a prefix.</summary>
    /// <exception cref="StorageUnavailableException">
    /// The store could not be reached at the beginning. Once the watch is active, it reconnects by itself.
    /// </exception>
    public async IAsyncEnumerable<StorageChange> WatchAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var watch = (prefix, Feed: new StorageChangeFeed());
        var run = Join(watch);
        try
        {
            await run.Active.Task.WaitAsync(cancellationToken);
            await foreach (var change in watch.Feed.ReadAllAsync(cancellationToken))
            {
                yield return change;
            }
        }
        finally
        {
            await LeaveAsync(watch);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Run? run;
        lock (_gate)
        {
            (run, _run) = (_run, null);
        }

        await EndAsync(run);
    }

    private Run Join((string, StorageChangeFeed) watch)
    {
        lock (_gate)
        {
            _watches.Add(watch);
            if (_run is null)
            {
                _run = new Run();
                var run = _run;
                run.Loop = Task.Run(() => FollowAsync(run, run.Stop.Token));
            }

            return _run;
        }
    }

    private async Task LeaveAsync((string, StorageChangeFeed) watch)
    {
        Run? unused = null;
        lock (_gate)
        {
            _watches.Remove(watch);
            if (_watches.Count == 0)
            {
                (unused, _run) = (_run, null);
            }
        }

        await EndAsync(unused);
    }

    private static async Task EndAsync(Run? run)
    {
        if (run is not null)
        {
            await run.Stop.CancelQuietlyAsync();
            await run.Loop;
        }
    }

    private async Task FollowAsync(Run run, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await follow(() => Activate(run), Post, stop);
            }
            catch (Exception exception)
            {
                if (stop.IsCancellationRequested)
                {
                    run.Active.TrySetCanceled(stop);
                    return;
                }

                var failure = describe(exception);
                if (!run.Active.Task.IsCompleted)
                {
                    GiveUp(run, failure);
                    return;
                }

                NoteLoss(run, failure);
            }

            // Instances that were disconnected together do not return together.
            await Task.Delay(run.Pause * (0.5 + (Random.Shared.NextDouble() / 2)), time, stop)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            run.Pause = run.Pause * 2 < LongestPause ? run.Pause * 2 : LongestPause;
        }
    }

    private void Activate(Run run)
    {
        run.Pause = FirstPause;
        if (!run.Active.TrySetResult())
        {
            // There was a gap.
            Post(StorageChange.Everything);
        }

        if (run.IsLost)
        {
            run.IsLost = false;
            restored();
        }
    }

    // The watches that wait for it report the failure, and the next watch begins a new run.
    private void GiveUp(Run run, Exception failure)
    {
        lock (_gate)
        {
            _run = _run == run ? null : _run;
        }

        run.Active.TrySetException(failure);

        // All watches may have been canceled: then nobody else observes it.
        _ = run.Active.Task.Exception;
    }

    private void NoteLoss(Run run, StorageUnavailableException failure)
    {
        if (!run.IsLost)
        {
            run.IsLost = true;
            lost(failure.Message);
        }
    }

    private void Post(StorageChange change)
    {
        lock (_gate)
        {
            foreach (var (prefix, feed) in _watches)
            {
                if (change.Key is null || change.Key.StartsWith(prefix, StringComparison.Ordinal))
                {
                    feed.Post(change);
                }
            }
        }
    }

    /// <summary>A period during which there are watches.</summary>
    private sealed class Run
    {
        public CancellationTokenSource Stop { get; } = new();

        public TaskCompletionSource Active { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Loop { get; set; } = Task.CompletedTask;

        public bool IsLost { get; set; }

        /// <summary>The pause before the next attempt to connect.</summary>
        public TimeSpan Pause { get; set; } = FirstPause;
    }
}
