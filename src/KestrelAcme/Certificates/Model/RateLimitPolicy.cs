using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Certificates.Model;

/// <summary>
/// Decides what a refused order delays: only its own name, until unrelated names are refused one after the other (see
/// <see cref="OrderTrust"/>). Pure.
/// </summary>
internal static class RateLimitPolicy
{
    /// <summary>The number of unrelated names, refused in a row, that raise a doubt about the account.</summary>
    public const int NamesOfAnAccount = 3;

    /// <summary>
    /// The time within which they are refused, and the longest time for which orders for new names are held back by a guess.
    /// </summary>
    public static TimeSpan Window { get; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Returns what names with a common limit share: the last two labels. If registered domains have three labels, unrelated names count as
    /// related, which delays nobody.
    /// </summary>
    public static string FamilyOf(CertificateIdentifier name)
        => name.Kind == IdentifierKind.Ip ? name.Value : string.Join('.', name.BaseValue.Split('.').TakeLast(2));

    /// <summary>
    /// Returns how long to hold an account that is probably at its limit. The wait that the CA asked for may be that of one name.
    /// </summary>
    public static TimeSpan HoldOfAccount(TimeSpan? asked) => asked < Window && asked > TimeSpan.Zero ? asked.Value : Window;
}

/// <summary>A token bucket that fills with time. Immutable and stored.</summary>
/// <param name="Tokens">The tokens at that time.</param>
/// <param name="At">The time.</param>
internal sealed record TokenBucket(double Tokens, DateTimeOffset At)
{
    // The sum of shares is slightly less than it should be. The wait for the rest would be no wait, over and over.
    private const double Rounding = 1e-6;

    public static TokenBucket Full(int capacity) => new(capacity, DateTimeOffset.MinValue);

    /// <returns>The bucket afterward, and the wait if there was no token.</returns>
    public (TokenBucket Bucket, TimeSpan? Wait) Take(DateTimeOffset now, int capacity, TimeSpan interval)
    {
        // A clock that went back adds no tokens.
        var elapsed = now > At ? now - At : TimeSpan.Zero;
        var tokens = Math.Min(capacity, Tokens + (elapsed / interval));
        return tokens >= 1 - Rounding
            ? (new TokenBucket(Math.Max(0, tokens - 1), now), null)
            : (new TokenBucket(tokens, now), (1 - tokens) * interval);
    }
}

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
