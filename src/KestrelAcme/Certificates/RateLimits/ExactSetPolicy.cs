
namespace KestrelAcme.Certificates.RateLimits;

/// <summary>Stops by ourselves before an authority's limit of certificates for one exact set of names: 5 in 7 days at Let's Encrypt. Pure.</summary>
internal static class ExactSetPolicy
{
    /// <summary>How many certificates for one set of names are obtained in a week.</summary>
    public const int MostInAWeek = 4;

    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    /// <returns>When the next one may be ordered; <see langword="null"/> when it may be now.</returns>
    public static DateTimeOffset? NextAllowed(IEnumerable<DateTimeOffset> issued, DateTimeOffset now)
    {
        var recent = issued.Where(i => i > now - Week && i <= now).Order().ToList();
        return recent.Count < MostInAWeek ? null : recent[^MostInAWeek] + Week;
    }

    /// <summary>The times that are still worth keeping, with one more.</summary>
    public static DateTimeOffset[] Add(IReadOnlyList<DateTimeOffset>? issued, DateTimeOffset now)
        => [.. (issued ?? []).Where(i => i > now - Week).TakeLast(MostInAWeek * 2), now];
}
