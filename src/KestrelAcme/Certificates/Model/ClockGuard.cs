
namespace KestrelAcme.Certificates.Model;

/// <summary>Tells which remembered failures still count. Pure.</summary>
internal static class ClockGuard
{
    // The longest wait is a week, and up to a tenth of it more by jitter.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(8);
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    /// <returns>The failure; <see langword="null"/> for one that was noted while the clock was far ahead: its wait would never end.</returns>
    public static CertificateFailure? Effective(CertificateFailure? failure, DateTimeOffset now)
        => failure is null || failure.At > now + LargestSkew || failure.NextAttempt > now + LongestWait ? null : failure;

    /// <summary>Whether a time lies ahead, and not further than anybody is ever made to wait: one that was noted while the clock was far ahead would never end.</summary>
    public static bool IsPlausibleWait(DateTimeOffset until, DateTimeOffset now) => until > now && until <= now + LongestWait;

    /// <summary>The time to ask for renewal information again; now, for one that was noted while the clock was far ahead.</summary>
    public static DateTimeOffset NextPoll(RenewalInfoRecord? renewalInfo, DateTimeOffset now)
        => renewalInfo is null || renewalInfo.NextPoll > now + TimeSpan.FromDays(1) + LargestSkew ? now : renewalInfo.NextPoll;
}
