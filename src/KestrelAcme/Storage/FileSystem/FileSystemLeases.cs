using System.Collections.Concurrent;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Leases as files: a record (holder, end, fencing number) that changes inside a short critical section. A holder that is known to be dead is
/// succeeded at once, any other when its lease has run out.
/// </summary>
internal sealed class FileSystemLeases(StoragePaths paths, TimeProvider time, ILogger logger)
{
    private const int MaxObservations = 1000;

    private readonly FileLocks _locks = new();
    private readonly ConcurrentDictionary<string, (LeaseRecord Record, long Since)> _observations = new(StringComparer.Ordinal);

    public async ValueTask<IStorageLease?> TryAcquireAsync(StorageOwner owner, string name, TimeSpan duration, CancellationToken cancellationToken)
    {
        var taking = TakeAsync(owner, name, duration, cancellationToken);
        try
        {
            return await taking.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ = GiveBackAsync(taking);
            throw;
        }
    }

    public async ValueTask<bool> RenewAsync(FileSystemLease lease, CancellationToken cancellationToken)
    {
        // A store that was unmounted or emptied no longer keeps others out.
        return await IsThereAsync(lease)
            && await InSectionAsync("renew the lease", lease.Name, section => TryRenew(section, lease), cancellationToken).WaitAsync(cancellationToken);
    }

    /// <summary>Gives a lease back. Never throws: what cannot be given back runs out.</summary>
    public async ValueTask ReleaseAsync(FileSystemLease lease)
    {
        try
        {
            if (await IsThereAsync(lease))
            {
                await InSectionAsync("give back the lease", lease.Name, _ => Release(lease), CancellationToken.None);
            }
        }
        catch (StorageUnavailableException exception)
        {
            logger.LeaseNotGivenBack(lease.Name, exception.Message);
        }
    }

    /// <summary>Enters the section of a lease that must still hold; while inside, nobody else can take it.</summary>
    /// <exception cref="LeaseLostException">The lease has ended, or was given to another holder since.</exception>
    public async ValueTask<FileLock> GuardAsync(IStorageLease lease, CancellationToken cancellationToken)
    {
        var section = await _locks.EnterAsync(paths.LeaseLock(lease.Name), cancellationToken);
        try
        {
            var path = paths.LeaseRecord(lease.Name);
            var (record, damage) = await FileWork.OnFileAsync("read the lease", path, () => LeaseFile.Read(path), CancellationToken.None);
            if (record is null && damage is null && lease is FileSystemLease own && !lease.Lost.IsCancellationRequested)
            {
                record = await FileWork.OnFileAsync("write the lease", path, () => TryWriteAgain(section, own), CancellationToken.None);
            }

            var holds = record?.Owner is not null && record.FencingNumber == lease.FencingNumber && !lease.Lost.IsCancellationRequested
                && time.GetUtcNow() < record.Expires;
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
            "take the lease", name, section => (TryTake(section, owner, name, duration, out var since), since), cancellationToken);
        return record is null ? null : new FileSystemLease(this, owner, name, record.FencingNumber, duration, time, since);
    }

    // The caller has gone, and nobody would give back what was taken for it.
    private static async Task GiveBackAsync(Task<FileSystemLease?> taking)
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

        if (!LeasePolicy.IsFree(current, now, MachineIdentity.Current) && !IsHolderDead(owner, name, current!) && !HasOutlasted(name, current!, now))
        {
            return null;
        }

        var number = LeasePolicy.NextNumber(current?.FencingNumber ?? 0, section.ReadNumber(), damage is not null, now);
        var record = NewRecord(owner, number, now, duration);
        section.WriteNumber(number);
        LeaseFile.Write(path, record, owner.Id, durable: true);
        _observations.TryRemove(name, out _);
        return record;
    }

    // The mark of its owner may be deleted while the store is there: what is left of the lease tells.
    private async ValueTask<bool> IsThereAsync(FileSystemLease lease)
    {
        if (lease.Owner.IsInPlace)
        {
            return true;
        }

        var record = paths.LeaseRecord(lease.Name);
        return await FileWork.OnFileAsync(
            "look at the lease",
            record,
            () =>
            {
                if (!File.Exists(record))
                {
                    return false;
                }

                lease.Owner.PutBack();
                return true;
            },
            CancellationToken.None);
    }

    /// <summary>Writes the record of a lease again that somebody deleted, unless the number that is kept beside it shows that the lease was given out since.</summary>
    private LeaseRecord? TryWriteAgain(FileLock section, FileSystemLease lease)
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
            return TryWriteAgain(section, lease) is not null;
        }

        if (record is null || !lease.IsHolderOf(record))
        {
            return false;
        }

        LeaseFile.Write(path, NewRecord(lease.Owner, lease.FencingNumber, time.GetUtcNow(), lease.Duration), lease.Owner.Id, durable: false);
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
        // A path made from what a file says: only an id of the form that we give out.
        var dead = asker.LocksWork && record.Machine == MachineIdentity.Current && Guid.TryParseExact(record.Owner, "n", out var id) && StorageOwner.IsKnownDead(paths.Owner(id.ToString("n")));
        if (dead)
        {
            logger.LeaseTakenOver(name, record.ProcessId, record.Host);
        }

        return dead;
    }

    // A record from a clock that was wrong must not block for years: it counts from when we first saw it.
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

        var seen = _observations.AddOrUpdate(name, (record, time.GetTimestamp()), (_, old) => old.Record == record ? old : (record, time.GetTimestamp()));
        return time.GetElapsedTime(seen.Since) >= TimeSpan.FromSeconds(record.DurationSeconds) + LeasePolicy.ClockTolerance;
    }

    private static LeaseRecord NewRecord(StorageOwner owner, long number, DateTimeOffset now, TimeSpan duration) => new()
    {
        Owner = owner.Id,
        FencingNumber = number,
        Expires = now + duration,
        DurationSeconds = duration.TotalSeconds,
        // Where locks prove nothing, no machine is named and nobody takes an owner for dead.
        Machine = owner.LocksWork ? MachineIdentity.Current : "",
        Host = Environment.MachineName,
        ProcessId = Environment.ProcessId,
    };
}

/// <summary>Decides who may have a lease, from what its record says.</summary>
internal static class LeasePolicy
{
    /// <summary>What clocks of machines that share a folder may differ by.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(5);

    /// <summary>Whether the lease can be taken without asking whether its holder lives.</summary>
    /// <param name="record">The record; <see langword="null"/> when there is none that can be read.</param>
    /// <param name="now">The time of day.</param>
    /// <param name="machine">The running system of whoever asks.</param>
    public static bool IsFree(LeaseRecord? record, DateTimeOffset now, string machine)
        => record?.Owner is null || (record.Machine == machine ? now : now - ClockTolerance) >= record.Expires;

    /// <summary>Whether the end of a lease lies further ahead than its duration: it was written by a clock that was wrong, or ours is.</summary>
    public static bool IsImplausible(LeaseRecord record, DateTimeOffset now)
        => record.Expires - now > TimeSpan.FromSeconds(record.DurationSeconds) + ClockTolerance;

    /// <summary>The number for a new lease: above every one that is known, and, when none can be read any more, above every count there can have been.</summary>
    /// <param name="recorded">The record's number; 0 when there is no record that can be read.</param>
    /// <param name="kept">The number beside the record: 0 when none was kept yet, <see langword="null"/> when it cannot be read.</param>
    /// <param name="damaged">Whether there was a record that could not be read.</param>
    /// <param name="now">The time of day: a count of leases never gets as high as its milliseconds.</param>
    public static long NextNumber(long recorded, long? kept, bool damaged, DateTimeOffset now)
    {
        var known = Math.Max(recorded, kept ?? 0);
        return (known == 0 && (damaged || kept is null) ? now.ToUnixTimeMilliseconds() : known) + 1;
    }
}
