
namespace KestrelAcme.Certificates.Model;

/// <summary>Stays within an authority's limit of failed validations: 5 for a name in an hour at Let's Encrypt. Pure.</summary>
internal static class FailedValidationPolicy
{
    /// <summary>How many validations of a name may fail within an hour.</summary>
    public const int MostInAnHour = 5;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // The pace that the limit allows for ever: the last attempt of an hour is not spent minutes after the one before.
    private static readonly TimeSpan Sustained = Hour / MostInAnHour;

    /// <returns>When a validation may fail again without breaking the limit; <see langword="null"/> when it may now.</returns>
    public static DateTimeOffset? NextAllowed(IEnumerable<DateTimeOffset> failed, DateTimeOffset now)
    {
        var recent = Recent(failed, now);
        return recent.Count < MostInAnHour ? null : recent[^MostInAnHour] + Hour;
    }

    /// <returns>When to try again so that the hour always has an attempt left; <see langword="null"/> when the limit is not near.</returns>
    public static DateTimeOffset? NextSensible(IEnumerable<DateTimeOffset> failed, DateTimeOffset now)
    {
        var recent = Recent(failed, now);
        return recent.Count < MostInAnHour - 1 ? null
            : recent.Count < MostInAnHour ? recent[^1] + Sustained
            : Later(recent[^MostInAnHour] + Hour, recent[^1] + Sustained);
    }

    /// <summary>The times that are still worth keeping, with one more as often as validations failed; <see langword="null"/> for none.</summary>
    public static DateTimeOffset[]? Add(IReadOnlyList<DateTimeOffset>? failed, DateTimeOffset now, int times)
    {
        var all = Recent(failed ?? [], now);
        all.AddRange(Enumerable.Repeat(now, times));
        return all.Count == 0 ? null : [.. all.TakeLast(MostInAnHour)];
    }

    // What a clock noted that was ahead counts for nothing.
    private static List<DateTimeOffset> Recent(IEnumerable<DateTimeOffset> failed, DateTimeOffset now) => [.. failed.Where(f => f > now - Hour && f <= now).Order()];

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}
