using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Implements leases as files: a record (holder, expiry, fencing number) that changes only inside a short critical section. A lease whose
/// holder is known to be dead can be acquired at once, any other after it has expired.
/// </summary>
internal sealed class FileSystemLeases(StoragePaths paths, TimeProvider time, ILogger logger)
{
    private const int MaxObservations = 1000;

    private readonly FileLocks _locks = new();
    private readonly ConcurrentDictionary<string, (LeaseRecord Record, long Since)> _observations = new(StringComparer.Ordinal);

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<IStorageLease?> TryAcquireAsync(
        StorageOwner owner, string name, TimeSpan duration, CancellationToken cancellationToken)
    {
        var taking = TakeAsync(owner, name, duration, cancellationToken);
        try
        {
            return await taking.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ = ReleaseAsync(taking);
            throw;
        }
    }

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<bool> RenewAsync(FileSystemLease lease, CancellationToken cancellationToken)
    {
        // If the store was unmounted or emptied, the lease no longer excludes other holders.
        if (!await IsThereAsync(lease))
        {
            return false;
        }

        var renewing = InSectionAsync("renew the lease", lease.Name, section => TryRenew(section, lease), cancellationToken);
        return await renewing.WaitAsync(cancellationToken);
    }

    /// <summary>Releases a lease. Never throws; a lease that cannot be released expires.</summary>
    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder))]
    public async ValueTask ReleaseAsync(FileSystemLease lease)
    {
        try
        {
            if (await IsThereAsync(lease))
            {
                await InSectionAsync("release the lease", lease.Name, _ => Release(lease), CancellationToken.None);
            }
        }
        catch (StorageUnavailableException exception)
        {
            logger.LeaseNotGivenBack(lease.Name, exception.Message);
        }
    }

    /// <summary>Enters the section of a lease and checks that the lease still holds. While inside, no one else can acquire it.</summary>
    /// <exception cref="LeaseLostException">The lease has ended, or another holder has acquired it since.</exception>
    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<FileLock> GuardAsync(IStorageLease lease, CancellationToken cancellationToken)
    {
        var section = await _locks.EnterAsync(paths.LeaseLock(lease.Name), cancellationToken);
        try
        {
            var path = paths.LeaseRecord(lease.Name);
            var (record, damage) = await FileWork.OnFileAsync("read the lease", path, () => LeaseFile.Read(path), CancellationToken.None);
            if (record is null && damage is null && lease is FileSystemLease own && !lease.Lost.IsCancellationRequested)
            {
                record = await FileWork.OnFileAsync("write the lease", path, () => TryRestore(section, own), CancellationToken.None);
            }

            var holds = record?.Owner is not null && record.FencingNumber == lease.FencingNumber
                && !lease.Lost.IsCancellationRequested && time.GetUtcNow() < record.Expires;
            return holds ? section : throw new LeaseLostException(lease.Name);
        }
        catch
        {
            section.Dispose();
            throw;
        }
    }

    private async Task<T> InSectionAsync<T>(string action, string name, Func<FileLock, T> work, CancellationToken cancellationToken)
    {
        using var section = await _locks.EnterAsync(paths.LeaseLock(name), cancellationToken);
        return await FileWork.OnFileAsync(action, paths.LeaseRecord(name), () => work(section), CancellationToken.None);
    }

    private async Task<FileSystemLease?> TakeAsync(StorageOwner owner, string name, TimeSpan duration, CancellationToken cancellationToken)
    {
        var (record, since) = await InSectionAsync(
            "acquire the lease", name, section => (TryTake(section, owner, name, duration, out var since), since), cancellationToken);
        return record is null ? null : new FileSystemLease(this, owner, name, record.FencingNumber, duration, time, since);
    }

    // The caller was canceled. Releases the lease if it is acquired after all.
    private static async Task ReleaseAsync(Task<FileSystemLease?> taking)
    {
        await ((Task)taking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (taking.IsCompletedSuccessfully && taking.Result is { } lease)
        {
            await lease.DisposeAsync();
        }
    }

    private LeaseRecord? TryTake(FileLock section, StorageOwner owner, string name, TimeSpan duration, out long since)
    {
        var path = paths.LeaseRecord(name);
        since = time.GetTimestamp();
        var now = time.GetUtcNow();
        var (current, damage) = LeaseFile.Read(path);
        if (damage is not null)
        {
            logger.LeaseRecordDamaged(name, damage, LeaseFile.SetAside(path));
        }

        var isFree = LeasePolicy.IsFree(current, now, MachineIdentity.Current)
            || IsHolderDead(owner, name, current!)
            || HasOutlasted(name, current!, now);
        if (!isFree)
        {
            return null;
        }

        var number = LeasePolicy.NextNumber(current?.FencingNumber ?? 0, section.ReadNumber(), now);
        var record = NewRecord(owner, number, now, duration);
        section.WriteNumber(number);
        LeaseFile.Write(path, record, owner.Id, durable: true);
        _observations.TryRemove(name, out _);
        return record;
    }

    // The owner's file may have been deleted while the store is still there. The lease record decides then.
    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    private async ValueTask<bool> IsThereAsync(FileSystemLease lease)
    {
        if (lease.Owner.IsInPlace)
        {
            return true;
        }

        var record = paths.LeaseRecord(lease.Name);
        return await FileWork.OnFileAsync(
            "check the lease",
            record,
            () =>
            {
                if (!File.Exists(record))
                {
                    // A file in place of the root is a mistake that may pass; an empty root is another store.
                    return File.Exists(paths.Root) ? throw new IOException($"'{paths.Root}' is not a folder.") : false;
                }

                lease.Owner.Restore();
                return true;
            },
            CancellationToken.None);
    }

    /// <summary>
    /// Restores a lease record that another program deleted, unless the separately stored number shows that the lease was acquired since.
    /// </summary>
    private LeaseRecord? TryRestore(FileLock section, FileSystemLease lease)
    {
        if (section.ReadNumber() != lease.FencingNumber)
        {
            return null;
        }

        var record = NewRecord(lease.Owner, lease.FencingNumber, time.GetUtcNow(), lease.Duration);
        LeaseFile.Write(paths.LeaseRecord(lease.Name), record, lease.Owner.Id, durable: false);
        logger.LeaseRestored(lease.Name);
        return record;
    }

    private bool TryRenew(FileLock section, FileSystemLease lease)
    {
        var path = paths.LeaseRecord(lease.Name);
        var (record, damage) = LeaseFile.Read(path);
        if (record is null && damage is null)
        {
            return TryRestore(section, lease) is not null;
        }

        if (record is null || !lease.IsHolderOf(record))
        {
            return false;
        }

        var renewed = NewRecord(lease.Owner, lease.FencingNumber, time.GetUtcNow(), lease.Duration);
        LeaseFile.Write(path, renewed, lease.Owner.Id, durable: false);
        return true;
    }

    private bool Release(FileSystemLease lease)
    {
        var path = paths.LeaseRecord(lease.Name);
        if (LeaseFile.Read(path).Record is not { } record || !lease.IsHolderOf(record))
        {
            return false;
        }

        LeaseFile.Write(path, new LeaseRecord { FencingNumber = record.FencingNumber }, lease.Owner.Id, durable: false);
        return true;
    }

    private bool IsHolderDead(StorageOwner asker, string name, LeaseRecord record)
    {
        // The owner's ID becomes part of a path, so only the format that KestrelAcme writes is accepted.
        var dead = asker.LocksWork && record.Machine == MachineIdentity.Current
            && Guid.TryParseExact(record.Owner, "n", out var id) && StorageOwner.IsKnownDead(paths.Owner(id.ToString("n")));
        if (dead)
        {
            logger.LeaseTakenOver(name, record.ProcessId, record.Host);
        }

        return dead;
    }

    // A record written with a wrong clock must not block for years. Its duration is counted from when this instance first saw it.
    private bool HasOutlasted(string name, LeaseRecord record, DateTimeOffset now)
    {
        if (!LeasePolicy.IsImplausible(record, now))
        {
            return false;
        }

        if (_observations.Count >= MaxObservations)
        {
            _observations.Clear();
        }

        var seen = _observations.AddOrUpdate(
            name,
            (record, time.GetTimestamp()),
            (_, old) => old.Record == record ? old : (record, time.GetTimestamp()));
        return time.GetElapsedTime(seen.Since) >= TimeSpan.FromSeconds(record.DurationSeconds) + LeasePolicy.ClockTolerance;
    }

    private static LeaseRecord NewRecord(StorageOwner owner, long number, DateTimeOffset now, TimeSpan duration) => new()
    {
        Owner = owner.Id,
        FencingNumber = number,
        Expires = now + duration,
        DurationSeconds = duration.TotalSeconds,
        // If locks do not work, the record names no machine, so that no one takes its owner for dead.
        Machine = owner.LocksWork ? MachineIdentity.Current : "",
        Host = Environment.MachineName,
        ProcessId = Environment.ProcessId,
    };
}

/// <summary>Decides from its record who may acquire a lease. Pure.</summary>
internal static class LeasePolicy
{
    /// <summary>The tolerated clock difference between machines that share a folder.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(5);

    /// <summary>Whether the lease can be acquired without checking whether its holder is alive.</summary>
    /// <param name="record">The record; <see langword="null"/> if there is no readable one.</param>
    /// <param name="now">The current time.</param>
    /// <param name="machine">The running system of the caller.</param>
    public static bool IsFree(LeaseRecord? record, DateTimeOffset now, string machine)
        => record?.Owner is null || (record.Machine == machine ? now : now - ClockTolerance) >= record.Expires;

    /// <summary>Whether a lease expires later than its duration allows, because this clock or that of its writer is wrong.</summary>
    public static bool IsImplausible(LeaseRecord record, DateTimeOffset now)
        => record.Expires - now > TimeSpan.FromSeconds(record.DurationSeconds) + ClockTolerance;

    /// <summary>
    /// Returns the number for a new lease: higher than every known number, and at least the milliseconds of the date, so that numbers still
    /// increase if the folder was emptied or replaced.
    /// </summary>
    /// <param name="recorded">The number in the record; 0 if there is no readable record.</param>
    /// <param name="kept">The number stored separately: 0 if there is none yet, <see langword="null"/> if it is unreadable.</param>
    /// <param name="now">The current time. Its milliseconds exceed any possible count of leases.</param>
    public static long NextNumber(long recorded, long? kept, DateTimeOffset now)
        => Math.Max(now.ToUnixTimeMilliseconds(), Math.Max(recorded, kept ?? 0)) + 1;
}
