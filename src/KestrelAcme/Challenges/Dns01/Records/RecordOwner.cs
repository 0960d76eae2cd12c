using KestrelAcme.Storage;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>This instance as the owner of records: it holds a lease for as long as it may have some, so that others can tell its records from those of a dead one.</summary>
internal sealed class RecordOwner(BoundedStorage storage, TimeProvider time)
{
    /// <summary>How long a store takes at most to notice that an owner is dead.</summary>
    public static readonly TimeSpan LeaseDuration = TimeSpan.FromMinutes(2);

    private readonly BoundedStorage _storage = RecordStorage.Of(storage);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private LeaseKeeper? _keeper;

    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
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

            _keeper ??= await LeaseKeeper.TryAcquireAsync(_storage, RecordKeys.OwnerLease(Id), LeaseDuration, time, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Whether another owner lives, as far as the store knows.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<bool> LivesAsync(string id, CancellationToken cancellationToken)
    {
        await using var lease = await LeaseKeeper.TryAcquireAsync(_storage, RecordKeys.OwnerLease(id), LeaseDuration, time, cancellationToken);
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
