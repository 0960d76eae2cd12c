using System.Collections.Concurrent;
using Xunit;

namespace KestrelAcme.Storage.Contract;

/// <summary>Change notifications.</summary>
public abstract class StorageWatchContract : StorageContract
{
    // Written while the reader is slow: more than the feed of a watch holds.
    private const int ManyChanges = 1100;

    [Fact]
    public async Task WatchAsync_Started_ReportsEverythingFirst()
    {
        await foreach (var change in Storage.WatchAsync("a/", Token))
        {
            Assert.Equal(StorageChange.Everything, change);
            break;
        }
    }

    /// <summary>Whether a notice may be lost, so that the store reports everything within about a minute instead.</summary>
    protected virtual bool MayLoseNotices => false;

    [Fact]
    public async Task WatchAsync_WrittenReplacedDeletedByAnother_ReportsTheKey()
    {
        await using var watch = await Watch.StartAsync(Storage, "a/");
        var other = Fixture.Open();
        await other.WriteAsync("a/b", Bytes("1"), cancellationToken: Token);
        await watch.WaitForAsync("a/b", MayLoseNotices);
        await other.WriteAsync("a/b", Bytes("22"), cancellationToken: Token);
        await watch.WaitForAsync("a/b", MayLoseNotices);
        await other.DeleteAsync("a/b", cancellationToken: Token);
        await watch.WaitForAsync("a/b", MayLoseNotices);
        await other.WriteAsync("a/new/folder/c", Bytes("1"), cancellationToken: Token);
        await watch.WaitForAsync("a/new/folder/c", MayLoseNotices);
    }

    [Fact]
    public async Task WatchAsync_OtherPrefix_IsNotReported()
    {
        // A prefix that no other test uses: a store of several nodes may pass on late what an earlier test has changed.
        await using var watch = await Watch.StartAsync(Storage, "own/");
        await Storage.WriteAsync("owner", Bytes("1"), cancellationToken: Token);
        await Storage.WriteAsync("b/own/c", Bytes("1"), cancellationToken: Token);
        await using var lease = await Storage.TryAcquireLeaseAsync("own/lease", TimeSpan.FromMinutes(1), Token);
        await Storage.WriteAsync("own/last", Bytes("1"), cancellationToken: Token);
        var seen = await watch.WaitForAsync("own/last", MayLoseNotices);
        Assert.All(seen, key => Assert.True(key is null or "own/last", key));
    }

    [Fact]
    public async Task WatchAsync_Cancelled_Ends()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using var changes = Storage.WatchAsync("a/", stop.Token).GetAsyncEnumerator(stop.Token);
        Assert.True(await changes.MoveNextAsync());
        var next = changes.MoveNextAsync();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
    }

    [Fact]
    public async Task WatchAsync_StoreWasUnreachable_ReportsEverythingAgain()
    {
        await using var watch = await Watch.StartAsync(Storage, "a/");
        Assert.SkipUnless(await Fixture.BreakAsync(), "This store cannot become unreachable.");
        await Fixture.RestoreAsync();
        var other = Fixture.Open();
        await UntilAsync(
            async () =>
            {
                try
                {
                    await other.WriteAsync("a/b", Bytes("1"), cancellationToken: Token);
                    return true;
                }
                catch (StorageUnavailableException)
                {
                    return false;
                }
            },
            "the store to be reachable again");

        // The key itself, or Everything, which makes the reader list it.
        await watch.WaitForAsync("a/b", orEverything: true);
    }

    [Fact]
    public async Task WatchAsync_ReaderIsSlow_MissesNothing()
    {
        await using var changes = Storage.WatchAsync("a/", Token).GetAsyncEnumerator(Token);
        Assert.True(await changes.MoveNextAsync());
        foreach (var batch in Enumerable.Range(0, ManyChanges).Chunk(100))
        {
            await Task.WhenAll(batch.Select(i => Storage.WriteAsync($"a/{i}", Bytes("1"), cancellationToken: Token).AsTask()));
        }

        var missing = Enumerable.Range(0, ManyChanges).Select(i => $"a/{i}").ToHashSet(StringComparer.Ordinal);
        while (missing.Count > 0 && await changes.MoveNextAsync())
        {
            if (changes.Current.Key is { } key)
            {
                missing.Remove(key);
            }
            else
            {
                // The reader lists again: whatever was written before this has been seen.
                missing.ExceptWith(await Storage.ListAsync("a/", Token).ToListAsync(Token));
            }
        }

        Assert.Empty(missing);
    }

    /// <summary>A watch that runs in the background.</summary>
    private sealed class Watch : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        private readonly ConcurrentQueue<StorageChange> _seen = new();
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Task _task = Task.CompletedTask;

        public static async Task<Watch> StartAsync(IAcmeStorage storage, string prefix)
        {
            var watch = new Watch();
            watch._task = Task.Run(() => watch.RunAsync(storage, prefix), Token);
            await Task.WhenAny(watch._begun.Task, watch._task);
            return watch;
        }

        /// <summary>Waits for a key, and drops everything reported until then.</summary>
        public async Task<List<string?>> WaitForAsync(string key, bool orEverything = false)
        {
            var seen = new List<string?>();
            await UntilAsync(
                () =>
                {
                    while (_seen.TryDequeue(out var change))
                    {
                        seen.Add(change.Key);
                    }

                    return new(seen.Contains(key) || (orEverything && seen.Contains(null)));
                },
                $"a notice of '{key}'");
            return seen;
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stop.Dispose();
        }

        private async Task RunAsync(IAcmeStorage storage, string prefix)
        {
            await foreach (var change in storage.WatchAsync(prefix, _stop.Token))
            {
                if (!_begun.TrySetResult())
                {
                    _seen.Enqueue(change);
                }
            }
        }
    }
}
