using System.Collections.Concurrent;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Decides from a record of an earlier version who may acquire a lease, and which number it gets. Pure.</summary>
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
    /// <param name="now">The time of the file server. Its milliseconds exceed any possible count of leases.</param>
    public static long NextNumber(long recorded, long? kept, DateTimeOffset now)
        => Math.Max(now.ToUnixTimeMilliseconds(), Math.Max(recorded, kept ?? 0)) + 1;
}

/// <summary>Records that instances of an earlier version wrote, which have no claims, during a rolling upgrade.</summary>
internal sealed class EarlierRecords(TimeProvider time)
{
    private const int MaxObservations = 1000;

    private readonly ConcurrentDictionary<string, Observation> _observations = new(StringComparer.Ordinal);

    public bool IsFree(string name, LeaseRecord record)
    {
        var now = time.GetUtcNow();
        return LeasePolicy.IsFree(record, now, MachineIdentity.Current) || HasOutlasted(name, record, now);
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
            new Observation(record, time.GetTimestamp()),
            (_, old) => old.Record == record ? old : new Observation(record, time.GetTimestamp()));
        return time.GetElapsedTime(seen.Since) >= TimeSpan.FromSeconds(record.DurationSeconds) + LeasePolicy.ClockTolerance;
    }

    private sealed record Observation(LeaseRecord Record, long Since);
}

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

/// <summary>
/// The clock of the file server, read from the time that it gives to a new file or folder. All hosts that share a folder share it, however
/// wrong their own clocks are.
/// </summary>
/// <param name="time">This host's clock. Only its timestamps are used, never the date.</param>
/// <param name="simulated">In tests, the server's clock; otherwise <see langword="null"/>.</param>
internal sealed class ServerClock(TimeProvider time, Func<DateTimeOffset>? simulated)
{
    private volatile Reading? _last;

    /// <summary>Returns when a file or folder was changed last; <see langword="null"/> if it does not exist.</summary>
    public static DateTimeOffset? TimeOf(string path)
        => File.GetLastWriteTimeUtc(path) is { Year: > 1601 } written ? new(written, TimeSpan.Zero) : null;

    /// <summary>Reads the clock.</summary>
    /// <param name="created">A file or folder that the caller has just created.</param>
    /// <returns><see langword="null"/> if another instance removed it already, because this one was stopped meanwhile.</returns>
    public DateTimeOffset? Read(string created)
    {
        // From before: if this instance is stopped meanwhile, the estimate is ahead, and the claims decide. If it were behind, a lease that
        // is over would count as held until the next reading.
        var started = time.GetTimestamp();
        if (simulated is not null)
        {
            File.SetLastWriteTimeUtc(created, simulated().UtcDateTime);
        }

        if (TimeOf(created) is not { } now)
        {
            return null;
        }

        _last = new(now, started);
        return now;
    }

    /// <summary>
    /// Returns what the clock shows now, by this host's count since the last reading; <see langword="null"/> before the first one.
    /// </summary>
    public DateTimeOffset? Estimate() => _last is { } last ? last.Now + time.GetElapsedTime(last.Timestamp) : null;

    private sealed record Reading(DateTimeOffset Now, long Timestamp);
}
