using System.Runtime.CompilerServices;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Storage;

/// <summary>Acquires a lease and renews it until disposed.</summary>
internal sealed class LeaseKeeper : IAsyncDisposable
{
    private readonly IStorageLease _lease;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _renewing;

    private LeaseKeeper(IStorageLease lease, TimeSpan duration, TimeProvider time)
    {
        _lease = lease;
        _renewing = RenewAsync(duration / 3, time);
    }

    public IStorageLease Lease => _lease;

    /// <summary>Acquires a lease and keeps it until disposed.</summary>
    /// <returns><see langword="null"/> if another holder has it.</returns>
    public static async Task<LeaseKeeper?> TryAcquireAsync(
        IAcmeStorage storage, string name, TimeSpan duration, TimeProvider time, CancellationToken cancellationToken)
        => await storage.TryAcquireLeaseAsync(name, duration, cancellationToken) is { } lease
            ? Keep(lease, duration, time)
            : null;

    /// <summary>Keeps a lease that was acquired for the same duration until disposed, and releases it then.</summary>
    public static LeaseKeeper Keep(IStorageLease lease, TimeSpan duration, TimeProvider time) => new(lease, duration, time);

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder))]
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelQuietlyAsync();
        await _renewing;
        _stop.Dispose();
        try
        {
            await _lease.DisposeAsync();
        }
        catch (Exception)
        {
            // The lease could not be released and will expire. The work under it must not fail because of that, whatever the store throws.
        }
    }

    private async Task RenewAsync(TimeSpan interval, TimeProvider time)
    {
        while (!_lease.Lost.IsCancellationRequested)
        {
            // Most leases are released before their first renewal, so cancellation must not throw here.
            await Task.Delay(interval, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            await TryRenewAsync();
        }
    }

    private async Task TryRenewAsync()
    {
        try
        {
            await _lease.RenewAsync(_stop.Token);
        }
        catch (Exception)
        {
            // Whatever the store throws, the next round tries again. If the lease expires, Lost is canceled.
        }
    }
}

/// <summary>
/// Waits for a lease that others hold only for moments. The wait is limited, because a lease that is held forever would silently block
/// everything behind it.
/// </summary>
internal static class LeaseWait
{
    /// <summary>Acquires a lease.</summary>
    /// <inheritdoc cref="TryAcquireAsync" path="/param"/>
    /// <exception cref="StorageUnavailableException">The store could not be reached, or another holder kept the lease too long.</exception>
    public static async Task<IStorageLease> AcquireAsync(
        IAcmeStorage storage, string name, TimeSpan duration, TimeSpan poll, TimeSpan longest, TimeProvider time,
        CancellationToken cancellationToken, TimeSpan? longestPoll = null)
        => await TryAcquireAsync(storage, name, duration, poll, longest, time, cancellationToken, longestPoll)
            ?? throw new StorageUnavailableException(
                $"Another holder has kept the lease '{name}' for more than {longest.TotalMinutes:0.#} minutes; "
                + "normally it takes seconds. "
                + "Look for an instance that hangs and shares this store, or for a store whose leases do not expire, "
                + "and remove the lease if nobody uses it. KestrelAcme tries again.");

    /// <summary>Acquires a lease, or returns <see langword="null"/> if another holder keeps it too long.</summary>
    /// <param name="storage">The store.</param>
    /// <param name="name">The name of the lease.</param>
    /// <param name="duration">How long it lasts unless it is renewed.</param>
    /// <param name="poll">The pause between two attempts.</param>
    /// <param name="longest">The longest wait.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <param name="longestPoll">The pause is doubled each time until it is as long as this; <see langword="null"/> to keep it.</param>
    /// <exception cref="StorageUnavailableException">The store could not be reached.</exception>
    public static async Task<IStorageLease?> TryAcquireAsync(
        IAcmeStorage storage, string name, TimeSpan duration, TimeSpan poll, TimeSpan longest, TimeProvider time,
        CancellationToken cancellationToken, TimeSpan? longestPoll = null)
    {
        for (var started = time.GetTimestamp(); ; await Task.Delay(poll, time, cancellationToken))
        {
            var lease = await storage.TryAcquireLeaseAsync(name, duration, cancellationToken);
            if (lease is not null || time.GetElapsedTime(started) >= longest)
            {
                return lease;
            }

            poll = longestPoll > poll ? TimeSpan.FromTicks(Math.Min(poll.Ticks * 2, longestPoll.Value.Ticks)) : poll;
        }
    }
}
