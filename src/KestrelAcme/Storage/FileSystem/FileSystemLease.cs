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

    /// <summary>The record of this lease, which was acquired or renewed at a time of the file server.</summary>
    public LeaseRecord NewRecord(DateTimeOffset since) => new()
    {
        Owner = owner.Id,
        FencingNumber = FencingNumber,
        Expires = Time.GetUtcNow() + Duration,
        DurationSeconds = Duration.TotalSeconds,
        // Earlier versions take a holder of their machine for dead if they can lock its file.
        Machine = owner.Domain,
        Host = Environment.MachineName,
        ProcessId = Environment.ProcessId,
        Claim = Path.GetFileName(claim.Folder),
        Since = since.ToUnixTimeMilliseconds(),
    };

    protected override ValueTask<bool> ExtendAsync(CancellationToken cancellationToken) => leases.RenewAsync(this, cancellationToken);

    protected override ValueTask ReleaseAsync() => leases.ReleaseAsync(this);
}
