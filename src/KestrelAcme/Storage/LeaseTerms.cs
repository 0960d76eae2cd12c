namespace KestrelAcme.Storage;

/// <summary>What may be asked for when a lease is taken.</summary>
internal static class LeaseTerms
{
    /// <summary>The longest lease. What remains of a dead holder is kept at least this long.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromDays(1);

    public static void ThrowIfInvalid(string name, TimeSpan duration)
    {
        StorageKey.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(duration, MaxDuration);
    }
}
