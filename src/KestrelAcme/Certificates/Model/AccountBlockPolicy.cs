
namespace KestrelAcme.Certificates.Model;

/// <summary>Decides how often a refused account is tried again, and how often one is registered anew. Pure.</summary>
internal static class AccountBlockPolicy
{
    /// <summary>The longest pause: a person who puts it right at the authority tells nobody here.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(3);

    /// <summary>How long the attempt that tries it again may take before another one does.</summary>
    public static TimeSpan TimeOfAttempt { get; } = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(5);
    private const int MostRegistrations = 3;
    private static readonly TimeSpan RegistrationWindow = TimeSpan.FromHours(3);
    private static readonly TimeSpan KeyWindow = TimeSpan.FromDays(1);
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    /// <summary>The pause after so many refusals in a row: the first one, doubled each time.</summary>
    public static TimeSpan Pause(int refusals, TimeSpan first)
    {
        var pause = first * Math.Pow(2, Math.Clamp(refusals - 1, 0, 20));
        return pause < LongestPause ? pause : first < LongestPause ? LongestPause : first;
    }

    /// <summary>When a start, a reload or a person has it tried again: soon, and after many refusals not right after the last one, or a crash loop would ask without end.</summary>
    public static DateTimeOffset Soon(DateTimeOffset refusedAt, DateTimeOffset nextAttempt, int refusals, TimeSpan first, DateTimeOffset now)
    {
        var pause = ShortestPause * Math.Clamp(refusals, 1, 1000);

        // What a clock noted that was far ahead must end.
        var soon = refusedAt > now + LargestSkew ? now : refusedAt + (pause < first ? pause : first);
        return soon < nextAttempt ? soon : nextAttempt;
    }

    /// <summary>Whether one more account may be registered: public authorities limit accounts to ten in three hours, and one that is lost again and again helps nobody.</summary>
    public static bool MayRegister(IEnumerable<DateTimeOffset> registrations, DateTimeOffset now)
        => registrations.Count(r => r > now - RegistrationWindow && r <= now + LargestSkew) < MostRegistrations;

    /// <summary>Whether the account may have a new key: once a day.</summary>
    public static bool MayReplaceKey(DateTimeOffset? replacedAt, DateTimeOffset now)
        => replacedAt is not { } at || at <= now - KeyWindow || at > now + LargestSkew;

    /// <summary>The registrations that still count, with one more.</summary>
    public static DateTimeOffset[] Add(IEnumerable<DateTimeOffset> registrations, DateTimeOffset now)
        => [.. registrations.Where(r => r > now - RegistrationWindow).TakeLast(MostRegistrations), now];
}
