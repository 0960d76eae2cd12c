using System.Runtime.CompilerServices;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.Protection;

namespace KestrelAcme.Storage;

/// <summary>
/// Wraps a store with a timeout that applies even if the store ignores cancellation. A store that hangs counts as unavailable, and nothing
/// hangs with it. Watches have no timeout.
/// </summary>
/// <remarks>
/// All of KestrelAcme uses this wrapper and never the store itself; an architecture test ensures this. Safe for concurrent use. A write
/// that times out may still take effect.
/// </remarks>
internal sealed class BoundedStorage(IAcmeStorage inner, TimeSpan limit, TimeProvider time, StorageMonitor? monitor = null) : IAcmeStorage
{
    /// <summary>What the store responded last.</summary>
    public StorageMonitor Monitor { get; } = monitor ?? new StorageMonitor(time);

    /// <summary>Encrypts the private keys in the store; <see langword="null"/> if they are not encrypted.</summary>
    public KeyProtection? Protection { get; init; }

    /// <summary>Whether the store is in this process or on a disk of this machine; see <see cref="ILocalStorage"/>.</summary>
    public bool IsLocal => inner is ILocalStorage { IsLocal: true };

    public TimeSpan WatchDelay => inner.WatchDelay;

    /// <summary>Returns the same store with a shorter timeout.</summary>
    public BoundedStorage Within(TimeSpan shorter) => new(inner, shorter < limit ? shorter : limit, time, Monitor);

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
        => new(WithinAsync(StorageOperation.Read, $"reading '{key}'", token => inner.ReadAsync(key, token), cancellationToken));

    public IAsyncEnumerable<StorageEntry> ReadManyAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
        => EachWithinAsync(
            StorageOperation.ReadMany, $"reading {keys.Count} values", token => inner.ReadManyAsync(keys, token), cancellationToken);

    public ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => new(WithinAsync(
            StorageOperation.Write,
            $"writing '{key}'",
            [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))] async ValueTask<bool> (CancellationToken token) =>
            {
                await inner.WriteAsync(key, value, BoundedLease.Unwrap(lease), token);
                return true;
            },
            cancellationToken));

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
        => new(WithinAsync(
            StorageOperation.Delete,
            $"deleting '{key}'",
            token => inner.DeleteAsync(key, BoundedLease.Unwrap(lease), token),
            cancellationToken));

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => EachWithinAsync(StorageOperation.List, $"listing '{prefix}'", token => inner.ListAsync(prefix, token), cancellationToken);

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.WatchAsync(prefix, cancellationToken);

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        Task<IStorageLease?>? taking = null;
        try
        {
            var lease = await WithinAsync<IStorageLease?>(
                StorageOperation.AcquireLease,
                $"acquiring the lease '{name}'",
                token => new(taking = inner.TryAcquireLeaseAsync(name, duration, token).AsTask()),
                cancellationToken);
            return lease is null ? null : new BoundedLease(lease, this);
        }
        catch when (taking is not null)
        {
            // No one waits for the lease any more. If the store grants it late, release it.
            _ = ReleaseAsync(taking);
            throw;
        }
    }

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
    {
        StorageHealth health;
        try
        {
            health = await WaitAsync("checking it", inner.CheckAsync, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            // Whether the store is durable is unknown. A store that does not
            // respond must not be treated as one that is lost at each restart.
            health = new StorageHealth(Readable: false, Writable: false, Durable: true, "the store", exception.Message);
        }
        catch (Exception exception)
        {
            Monitor.Failed(StorageOperation.Check, exception, cancellationToken);
            throw;
        }

        Monitor.Checked(health);
        return health;
    }

    /// <summary>Waits for one response of the store.</summary>
    /// <exception cref="StorageUnavailableException">The store did not respond in time.</exception>
    public async Task<T> WithinAsync<T>(
        StorageOperation operation, string what, Func<CancellationToken, ValueTask<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            var response = await WaitAsync(what, ask, cancellationToken);
            Monitor.Succeeded(operation);
            return response;
        }
        catch (Exception exception)
        {
            Monitor.Failed(operation, exception, cancellationToken);
            throw;
        }
    }

    private async Task<T> WaitAsync<T>(string what, Func<CancellationToken, ValueTask<T>> ask, CancellationToken cancellationToken)
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
            throw new StorageUnavailableException($"The store did not respond within {limit.TotalSeconds:0} s ({what}).", exception);
        }
    }

    private async IAsyncEnumerable<T> EachWithinAsync<T>(
        StorageOperation operation,
        string what,
        Func<CancellationToken, IAsyncEnumerable<T>> ask,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // The items share one token. It is canceled with the enumeration, or when waiting for an item times out.
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
            // An enumerator that hangs cannot be disposed either.
            if (!hangs)
            {
                await items.DisposeAsync();
            }
        }

        Monitor.Succeeded(operation);

        // Separate from NextAsync, so that only an actual wait allocates the closure.
        Task<bool> AwaitAsync(ValueTask<bool> next) => WaitAsync(what, _ => next, cancellationToken);

        async Task<bool> NextAsync()
        {
            try
            {
                // Most items are available at once; only the first of each batch has to be waited for.
                var next = items.MoveNextAsync();
                return next.IsCompleted ? await next : await AwaitAsync(next);
            }
            catch (Exception exception)
            {
                Monitor.Failed(operation, exception, cancellationToken);
                if (exception is StorageUnavailableException or OperationCanceledException)
                {
                    hangs = true;
                    await givenUp.CancelQuietlyAsync();
                }

                throw;
            }
        }
    }

    private static async Task ReleaseAsync(Task<IStorageLease?> taking)
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

    /// <summary>Returns the lease as the wrapped store created it.</summary>
    public static IStorageLease? Unwrap(IStorageLease? lease) => lease is BoundedLease bounded ? bounded.Inner : lease;

    public ValueTask<bool> RenewAsync(CancellationToken cancellationToken = default)
        => new(storage.WithinAsync(StorageOperation.RenewLease, $"renewing the lease '{Name}'", inner.RenewAsync, cancellationToken));

    public ValueTask DisposeAsync()
        => new(storage.WithinAsync(
            StorageOperation.ReleaseLease,
            $"releasing the lease '{Name}'",
            [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))] async ValueTask<bool> (CancellationToken _) =>
            {
                await inner.DisposeAsync();
                return true;
            },
            CancellationToken.None));
}

/// <summary>A store that knows whether other machines can use it.</summary>
internal interface ILocalStorage
{
    /// <summary>Whether only this process or this machine can use it, so that its instances notice each change as it happens.</summary>
    bool IsLocal { get; }
}
