namespace KestrelAcme.Storage.FileSystem;

/// <summary>A lease of <see cref="FileSystemStorage"/>.</summary>
internal sealed class FileSystemLease(
    FileSystemLeases leases,
    StorageOwner owner,
    LeaseClaim claim,
    string name,
    long fencingNumber,
    TimeSpan duration,
    TimeProvider time,
    long asked) : StorageLease(name, fencingNumber, duration, time, asked)
{
    public StorageOwner Owner => owner;

    public LeaseClaim Claim => claim;

    public bool IsHolderOf(LeaseRecord record) => record.Owner == owner.Id && record.FencingNumber == FencingNumber;

    protected override ValueTask<bool> ExtendAsync(CancellationToken cancellationToken) => leases.RenewAsync(this, cancellationToken);

    protected override ValueTask ReleaseAsync() => leases.ReleaseAsync(this);
}
