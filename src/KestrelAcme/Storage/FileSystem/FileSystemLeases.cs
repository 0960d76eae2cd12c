using System.Runtime.CompilerServices;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Implements leases: who has one is decided by <see cref="LeaseClaims"/>. A record beside it tells people and earlier versions, and keeps
/// the fencing number.
/// </summary>
/// <remarks>
/// Earlier versions know only the record, which they change while they have the lock file open exclusively. To get along with them during a
/// rolling upgrade, this version does so, too, and respects a record that they wrote. Among instances of this version neither is needed.
/// </remarks>
internal sealed class FileSystemLeases(
    StoragePaths paths, FileLocks locks, LeaseClaims claims, ServerClock clock, TimeProvider time, ILogger logger)
{
    // About two seconds. An instance that asks for a lease has it or gives up within milliseconds, unless it is stopped.
    private const int MaxLooks = 100;
    private readonly EarlierRecords _earlier = new(time);

    /// <summary>Acquires a lease, unless another instance holds it. An attempt that was canceled may still succeed.</summary>
    public async Task<FileSystemLease?> TryAcquireAsync(
        StorageOwner owner, string name, TimeSpan duration, CancellationToken cancellationToken)
    {
        var path = paths.LeaseRecord(name);
        if (await FileWork.OnFileAsync("read the lease", path, () => IsHeld(owner, path), cancellationToken))
        {
            return null;
        }

        using var section = await locks.EnterAsync(paths.LeaseLock(name), cancellationToken);
        var asked = time.GetTimestamp();

        // A caller that was canceled does not wait for this, and may have deleted the store, which must not come into being again.
        var claim = await FileWork.OnFolderAsync(
            "write to", paths.Claims, () => cancellationToken.IsCancellationRequested ? null : claims.TryPlace(owner, name),
            CancellationToken.None);
        if (claim is null)
        {
            return null;
        }

        FileSystemLease? lease = null;
        try
        {
            if (await IsAloneAsync(owner, name, claim, cancellationToken))
            {
                lease = await FileWork.OnFileAsync(
                    "acquire the lease", path, () => TryTake(section, owner, name, duration, claim, asked), CancellationToken.None);
            }

            return lease;
        }
        finally
        {
            if (lease is null)
            {
                await FileWork.OnFolderAsync("write to", claim.Folder, () => claims.Withdraw(claim), CancellationToken.None);
            }
        }
    }

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<bool> RenewAsync(FileSystemLease lease, CancellationToken cancellationToken)
    {
        // Its owner's file, without which others may take this instance for dead, may have been deleted while the store is still there.
        if (!await FileWork.OnFolderAsync("renew the lease", lease.Claim.Folder, () => TryRestoreOwner(lease), CancellationToken.None))
        {
            return false;
        }

        return await InSectionAsync("renew the lease", lease.Name, section => TryRenew(section, lease), cancellationToken)
            .WaitAsync(cancellationToken);
    }

    /// <summary>Releases a lease. Never throws; a lease that cannot be released expires.</summary>
    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder))]
    public async ValueTask ReleaseAsync(FileSystemLease lease)
    {
        try
        {
            if (await FileWork.OnFolderAsync("release the lease", lease.Claim.Folder, () => IsThere(lease), CancellationToken.None))
            {
                await InSectionAsync("release the lease", lease.Name, _ => Release(lease), CancellationToken.None);
            }
        }
        catch (StorageUnavailableException exception)
        {
            logger.LeaseNotGivenBack(lease.Name, exception.Message);
        }
    }

    /// <summary>
    /// Enters the section of a lease and checks that the lease still holds. The caller drafts what it writes in the folder of the claim, so
    /// that it never appears after another holder has got the lease.
    /// </summary>
    /// <exception cref="LeaseLostException">The lease has ended, or another holder has acquired it since.</exception>
    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<LeaseGuard> GuardAsync(IStorageLease lease, CancellationToken cancellationToken)
    {
        var section = await locks.EnterAsync(paths.LeaseLock(lease.Name), cancellationToken);
        try
        {
            var own = lease as FileSystemLease;
            var path = paths.LeaseRecord(lease.Name);
            var (record, _) = await FileWork.OnFileAsync("read the lease", path, () => LeaseFile.Read(path), CancellationToken.None);
            if (record is null && own is { IsOver: false })
            {
                record = await FileWork.OnFileAsync("write the lease", path, () => TryRestore(section, own), CancellationToken.None);
            }

            var holds = record?.Owner is not null && record.FencingNumber == lease.FencingNumber
                && own is not { IsOver: true } && !lease.Lost.IsCancellationRequested;
            return holds && paths.Claim(record!.Claim) is { } claim ? new(section, claim) : throw new LeaseLostException(lease.Name);
        }
        catch
        {
            section.Dispose();
            throw;
        }
    }

    private async Task<T> InSectionAsync<T>(string action, string name, Func<FileLock, T> work, CancellationToken cancellationToken)
    {
        using var section = await locks.EnterAsync(paths.LeaseLock(name), cancellationToken);
        return await FileWork.OnFileAsync(action, paths.LeaseRecord(name), () => work(section), CancellationToken.None);
    }

    // Saves those who wait for a lease most of the work. The record may be out of date, so it only ever says "not yet".
    private bool IsHeld(StorageOwner asker, string path)
        => clock.Estimate() is { } now && LeaseFile.Read(path).Record is { Owner: { } owner, Claim: not null } record
            && now.ToUnixTimeMilliseconds() < record.Since + (record.DurationSeconds * 1000)
            && record.Since <= now.ToUnixTimeMilliseconds() + LeasePolicy.ClockTolerance.TotalMilliseconds
            && !IsDead(asker, owner);

    private async Task<bool> IsAloneAsync(StorageOwner owner, string name, LeaseClaim claim, CancellationToken cancellationToken)
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            var contest = await FileWork.OnFolderAsync(
                "read",
                paths.Claims,
                () => claims.Contest(claim, id => IsDead(owner, id), folder => ReportTakeOver(name, folder)),
                CancellationToken.None);
            if (contest != ClaimContest.Undecided)
            {
                return contest == ClaimContest.Alone;
            }

            await FileWork.PauseAsync(look, cancellationToken);
        }

        return false;
    }

    private FileSystemLease? TryTake(
        FileLock section, StorageOwner owner, string name, TimeSpan duration, LeaseClaim claim, long asked)
    {
        if (!ClaimFolder.TryHold(claim, duration))
        {
            return null;
        }

        var path = paths.LeaseRecord(name);
        var (current, damage) = LeaseFile.Read(path);
        if (damage is not null)
        {
            logger.LeaseRecordDamaged(name, damage, LeaseFile.SetAside(path));
        }

        // A record of this version needs no second look, because its claim would be there.
        if (current is { Owner: not null, Claim: null } && !_earlier.IsFree(name, current))
        {
            return null;
        }

        var number = LeasePolicy.NextNumber(current?.FencingNumber ?? 0, section.ReadNumber(), claim.Asked);
        section.WriteNumber(number);
        var lease = new FileSystemLease(this, owner, claim, name, number, duration, time, asked);
        return TryWrite(lease, lease.NewRecord(claim.Asked), durable: true) ? lease : null;
    }

    private bool TryWrite(FileSystemLease lease, LeaseRecord record, bool durable)
    {
        using var draft = FileDraft.TryCreate(lease.Claim.Folder, lease.Owner.Id);
        return draft is not null && TryWrite(draft, lease.Name, record, durable);
    }

    private bool TryWrite(FileDraft draft, string name, LeaseRecord record, bool durable)
    {
        draft.Write(LeaseFile.Serialize(record), durable);
        return draft.TryMove(paths.LeaseRecord(name), durable);
    }

    // A root that is not a folder is a mistake that may pass; an empty root is another store, in which the lease excludes nobody.
    private bool IsThere(FileSystemLease lease)
        => PathProbe.Exists(lease.Claim.Folder)
            || (!Directory.Exists(paths.Root) && PathProbe.Exists(paths.Root) ? throw new DirectoryNotFoundException() : false);

    private bool TryRestoreOwner(FileSystemLease lease)
    {
        if (!IsThere(lease))
        {
            return false;
        }

        lease.Owner.Restore();
        return true;
    }

    // Restores a record that another program deleted or damaged, unless the separately stored number shows that the lease was acquired
    // since.
    private LeaseRecord? TryRestore(FileLock section, FileSystemLease lease)
    {
        if (section.ReadNumber() > lease.FencingNumber)
        {
            return null;
        }

        var record = lease.NewRecord(clock.Estimate() ?? lease.Claim.Asked);
        if (!TryWrite(lease, record, durable: false))
        {
            return null;
        }

        logger.LeaseRestored(lease.Name);
        return record;
    }

    private bool TryRenew(FileLock section, FileSystemLease lease)
    {
        var (record, _) = LeaseFile.Read(paths.LeaseRecord(lease.Name));
        if (record is null ? TryRestore(section, lease) is null : !lease.IsHolderOf(record))
        {
            return false;
        }

        using var draft = FileDraft.TryCreate(lease.Claim.Folder, lease.Owner.Id);
        return draft is not null && clock.Read(draft.Path) is { } since
            && ClaimFolder.TryRenew(lease.Claim, since, lease.Duration)
            && TryWrite(draft, lease.Name, lease.NewRecord(since), durable: false);
    }

    private bool Release(FileSystemLease lease)
    {
        var path = paths.LeaseRecord(lease.Name);
        bool released;
        try
        {
            released = LeaseFile.Read(path).Record is { } record && lease.IsHolderOf(record)
                && TryWrite(lease, new LeaseRecord { FencingNumber = record.FencingNumber }, durable: false);
        }
        catch (IOException exception) when (FileFault.IsFull(exception))
        {
            // Deleting needs no space. The number is stored beside the record, too.
            File.Delete(path);
            released = true;
        }

        claims.Withdraw(lease.Claim);
        return released;
    }

    // The owner's ID becomes part of a path, so only the format that KestrelAcme writes is accepted.
    private bool IsDead(StorageOwner asker, string owner)
        => owner != asker.Id && Guid.TryParseExact(owner, "n", out var id) && asker.IsKnownDead(paths.Owner(id.ToString("n")));

    private void ReportTakeOver(string name, string folder)
    {
        var record = LeaseFile.Read(paths.LeaseRecord(name)).Record;
        var known = paths.Claim(record?.Claim) == folder;
        logger.LeaseTakenOver(name, known ? record!.ProcessId : 0, known ? record!.Host : "this machine");
    }
}
