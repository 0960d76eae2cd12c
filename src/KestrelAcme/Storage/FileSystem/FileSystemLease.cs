namespace KestrelAcme.Storage.FileSystem;

/// <summary>A lease of <see cref="FileSystemStorage"/>.</summary>
internal sealed class FileSystemLease(
    FileSystemLeases leases,
    StorageOwner owner,
    string name,
    long fencingNumber,
    TimeSpan duration,
    TimeProvider time,
    long since) : IStorageLease
{
    private readonly LeaseExpiry _expiry = new(time, duration, since);

    public string Name => name;

    public long FencingNumber => fencingNumber;

    public TimeSpan Duration => duration;

    public StorageOwner Owner => owner;

    public CancellationToken Lost => _expiry.Lost;

    public bool IsHolderOf(LeaseRecord record) => record.Owner == owner.Id && record.FencingNumber == fencingNumber;

    public async ValueTask<bool> RenewAsync(CancellationToken cancellationToken = default)
    {
        if (_expiry.IsOver)
        {
            return false;
        }

        var asked = time.GetTimestamp();
        if (!await leases.RenewAsync(this, cancellationToken))
        {
            _expiry.Lose();
            return false;
        }

        return _expiry.TryExtend(asked);
    }

    public async ValueTask DisposeAsync()
    {
        // Also after the lease was lost: the record may still name this holder, and removing it saves others the wait.
        if (_expiry.TryEnd() || Lost.IsCancellationRequested)
        {
            await leases.ReleaseAsync(this);
        }
    }
}
