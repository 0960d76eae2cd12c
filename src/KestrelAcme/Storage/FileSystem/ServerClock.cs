namespace KestrelAcme.Storage.FileSystem;

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
        if (simulated is not null)
        {
            File.SetLastWriteTimeUtc(created, simulated().UtcDateTime);
        }

        if (TimeOf(created) is not { } now)
        {
            return null;
        }

        _last = new(now, time.GetTimestamp());
        return now;
    }

    /// <summary>
    /// Returns what the clock shows now, by this host's count since the last reading; <see langword="null"/> before the first one.
    /// </summary>
    public DateTimeOffset? Estimate() => _last is { } last ? last.Now + time.GetElapsedTime(last.Timestamp) : null;

    private sealed record Reading(DateTimeOffset Now, long Timestamp);
}
