namespace KestrelAcme.Storage.FileSystem;

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
