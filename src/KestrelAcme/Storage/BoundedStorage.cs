using System.Runtime.CompilerServices;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Storage;

/// <summary>
/// A store whose answers are waited for so long and no longer, heed it its tokens or not: one that hangs counts as unavailable, and nothing of ours hangs with it. A watch may last as long as it likes.
/// </summary>
/// <remarks>
/// Everything of ours asks this one, and nothing the store itself: a test sees to it. Safe for concurrent use. What is written after the time was up may have been written all the same.
/// </remarks>
internal sealed class BoundedStorage(IAcmeStorage inner, TimeSpan limit, TimeProvider time) : IAcmeStorage
{
    /// <summary>The same store, for those who have less time.</summary>
    public BoundedStorage Within(TimeSpan shorter) => new(inner, shorter < limit ? shorter : limit, time);

    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
        => await WithinAsync($"reading '{key}'", token => inner.ReadAsync(key, token), cancellationToken);

    public IAsyncEnumerable<StorageEntry> ReadManyAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        => EachWithinAsync($"reading {keys.Count} values", token => inner.ReadManyAsync(keys, token), cancellationToken);

    public async ValueTask WriteAsync(string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => await WithinAsync(
            $"writing '{key}'",
            async token =>
            {
                await inner.WriteAsync(key, value, BoundedLease.Unwrap(lease), token);
                return true;
            },
            cancellationToken);

    public async ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => await WithinAsync($"deleting '{key}'", token => inner.DeleteAsync(key, BoundedLease.Unwrap(lease), token), cancellationToken);

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => EachWithinAsync($"listing '{prefix}'", token => inner.ListAsync(prefix, token), cancellationToken);

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default) => inner.WatchAsync(prefix, cancellationToken);

    public async ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        Task<IStorageLease?>? taking = null;
        try
        {
            var lease = await WithinAsync<IStorageLease?>($"taking the lease '{name}'", token => new(taking = inner.TryAcquireLeaseAsync(name, duration, token).AsTask()), cancellationToken);
            return lease is null ? null : new BoundedLease(lease, this);
        }
        catch when (taking is not null)
        {
            // Nobody waits for it any more: what is given out late is given back.
            _ = GiveBackAsync(taking);
            throw;
        }
    }

    public async ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await WithinAsync("looking at it", inner.CheckAsync, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            // Whether it lasts is not known: that it does not answer is no reason to take it for one that is lost at each start.
            return new StorageHealth(Readable: false, Writable: false, Durable: true, "the store", exception.Message);
        }
    }

    /// <summary>Waits for one answer.</summary>
    /// <exception cref="StorageUnavailableException">It did not come in time.</exception>
    public async Task<T> WithinAsync<T>(string what, Func<CancellationToken, ValueTask<T>> ask, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var asked = ask(end.Token);
        if (asked.IsCompleted)
        {
            return await asked;
        }

        try
        {
            return await asked.AsTask().WaitAsync(limit, time, cancellationToken);
        }
        catch (TimeoutException exception)
        {
            await end.CancelQuietlyAsync();
            throw new StorageUnavailableException($"The store did not answer within {limit.TotalSeconds:0} s ({what}).", exception);
        }
    }

    private async IAsyncEnumerable<T> EachWithinAsync<T>(
        string what, Func<CancellationToken, IAsyncEnumerable<T>> ask, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // The items share one token: it ends with the enumeration, or when one of them is given up.
        using var givenUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var items = ask(givenUp.Token).GetAsyncEnumerator(givenUp.Token);
        var hangs = false;
        try
        {
            while (await NextAsync())
            {
                yield return items.Current;
            }
        }
        finally
        {
            // One that hangs cannot be disposed of either.
            if (!hangs)
            {
                await items.DisposeAsync();
            }
        }

        // Beside it, or each item would cost the closure that only a wait needs.
        Task<bool> AwaitAsync(ValueTask<bool> next) => WithinAsync(what, _ => next, cancellationToken);

        async Task<bool> NextAsync()
        {
            try
            {
                // Most items are there already: of ten thousand, only those that came with a new answer are waited for.
                var next = items.MoveNextAsync();
                return next.IsCompleted ? await next : await AwaitAsync(next);
            }
            catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
            {
                hangs = true;
                await givenUp.CancelQuietlyAsync();
                throw;
            }
        }
    }

    private static async Task GiveBackAsync(Task<IStorageLease?> taking)
    {
        await ((Task)taking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (taking.IsCompletedSuccessfully && taking.Result is { } lease)
        {
            await lease.DisposeAsync();
        }
    }
}

/// <summary>A lease of a <see cref="BoundedStorage"/>.</summary>
internal sealed class BoundedLease(IStorageLease inner, BoundedStorage storage) : IStorageLease
{
    public string Name => inner.Name;

    public long FencingNumber => inner.FencingNumber;

    public CancellationToken Lost => inner.Lost;

    private IStorageLease Inner => inner;

    /// <summary>The lease as the store gave it out.</summary>
    public static IStorageLease? Unwrap(IStorageLease? lease) => lease is BoundedLease bounded ? bounded.Inner : lease;

    public async ValueTask<bool> RenewAsync(CancellationToken cancellationToken = default)
        => await storage.WithinAsync($"renewing the lease '{Name}'", inner.RenewAsync, cancellationToken);

    public async ValueTask DisposeAsync()
        => await storage.WithinAsync(
            $"giving back the lease '{Name}'",
            async _ =>
            {
                await inner.DisposeAsync();
                return true;
            },
            CancellationToken.None);
}
