using KestrelAcme.Storage;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>
/// This instance as the owner of records. It holds a lease while it may have records, so that others can distinguish its records from those
/// of a dead instance.
/// </summary>
internal sealed class RecordOwner(BoundedStorage storage, TimeProvider time)
{
    /// <summary>How long the store takes at most to notice that an owner is dead.</summary>
    public static readonly TimeSpan LeaseDuration = TimeSpan.FromMinutes(2);

    private readonly BoundedStorage _storage = storage.Within(RecordKeys.StoreTimeout);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private LeaseKeeper? _keeper;

    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <exception cref="StorageUnavailableException">The store could not be reached.</exception>
    public async Task HoldAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_keeper is { Lease.Lost.IsCancellationRequested: true } lost)
            {
                _keeper = null;
                await lost.DisposeAsync();
            }

            _keeper ??= await LeaseKeeper.TryAcquireAsync(
                _storage, RecordKeys.OwnerLease(Id), LeaseDuration, time, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Whether another owner is alive, as far as the store knows.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be reached.</exception>
    public async Task<bool> LivesAsync(string id, CancellationToken cancellationToken)
    {
        await using var lease = await LeaseKeeper.TryAcquireAsync(
            _storage, RecordKeys.OwnerLease(id), LeaseDuration, time, cancellationToken);
        return lease is null;
    }

    public async Task ReleaseAsync()
    {
        await _gate.WaitAsync();
        try
        {
            if (_keeper is { } keeper)
            {
                _keeper = null;
                await keeper.DisposeAsync();
            }
        }
        finally
        {
            _gate.Release();
        }
    }
}
