using KestrelAcme.Diagnostics;

namespace KestrelAcme.Storage;

/// <summary>Renews a lease while work goes on under it, and tells when it was lost.</summary>
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

    /// <summary>Takes a lease and keeps it until disposed.</summary>
    /// <returns><see langword="null"/> when another holder has it.</returns>
    public static async Task<LeaseKeeper?> TryAcquireAsync(IAcmeStorage storage, string name, TimeSpan duration, TimeProvider time, CancellationToken cancellationToken)
        => await storage.TryAcquireLeaseAsync(name, duration, cancellationToken) is { } lease ? new LeaseKeeper(lease, duration, time) : null;

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
            // It could not be given back; it runs out by itself. What was done under it must not fail for that, whatever a store throws.
        }
    }

    private async Task RenewAsync(TimeSpan interval, TimeProvider time)
    {
        while (!_lease.Lost.IsCancellationRequested)
        {
            // Most leases are given back before they have to be renewed: that is no exception.
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
            // Whatever a store throws, the next round tries again; when the time runs out, Lost tells. Cancelled by the stop, there is no next round.
        }
    }
}
