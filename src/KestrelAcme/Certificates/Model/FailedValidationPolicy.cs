
namespace KestrelAcme.Certificates.Model;

/// <summary>Stays within a CA's limit of failed validations, which is 5 per name and hour at Let's Encrypt. Pure.</summary>
internal static class FailedValidationPolicy
{
    /// <summary>How many validations of a name may fail within an hour.</summary>
    public const int MostInAnHour = 5;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // The rate that the limit allows in the long run, so that the last attempt of an hour does not follow minutes after the one before.
    private static readonly TimeSpan Sustained = Hour / MostInAnHour;

    /// <returns>The time at which a validation may fail again within the limit; <see langword="null"/> if it may now.</returns>
    public static DateTimeOffset? NextAllowed(IEnumerable<DateTimeOffset> failed, DateTimeOffset now)
    {
        var recent = Recent(failed, now);
        return recent.Count < MostInAnHour ? null : recent[^MostInAnHour] + Hour;
    }

    /// <returns>
    /// The time to try again so that an attempt is always left in the hour; <see langword="null"/> if the limit is not near.
    /// </returns>
    public static DateTimeOffset? NextSensible(IEnumerable<DateTimeOffset> failed, DateTimeOffset now)
    {
        var recent = Recent(failed, now);
        return recent.Count < MostInAnHour - 1 ? null
            : recent.Count < MostInAnHour ? recent[^1] + Sustained
            : Later(recent[^MostInAnHour] + Hour, recent[^1] + Sustained);
    }

    /// <summary>
    /// Returns the times that still count, plus the current time once for each failed validation; <see langword="null"/> for none.
    /// </summary>
    public static DateTimeOffset[]? Add(IReadOnlyList<DateTimeOffset>? failed, DateTimeOffset now, int times)
    {
        var all = Recent(failed ?? [], now);
        all.AddRange(Enumerable.Repeat(now, times));
        return all.Count == 0 ? null : [.. all.TakeLast(MostInAnHour)];
    }

    // Times from a clock that was ahead do not count.
    private static List<DateTimeOffset> Recent(IEnumerable<DateTimeOffset> failed, DateTimeOffset now)
        => [.. failed.Where(f => f > now - Hour && f <= now).Order()];

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}
