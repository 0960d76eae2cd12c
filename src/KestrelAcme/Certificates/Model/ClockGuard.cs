
namespace KestrelAcme.Certificates.Model;

/// <summary>Decides which stored times still count if the clock may have been wrong. Pure.</summary>
internal static class ClockGuard
{
    // The longest wait is a week, plus up to a tenth of jitter.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(8);
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    /// <returns>
    /// The failure; <see langword="null"/> if it was recorded while the clock was far ahead, because its wait would never end.
    /// </returns>
    public static FailureRecord? Effective(FailureRecord? failure, DateTimeOffset now)
        => failure is null || failure.At > now + LargestSkew || failure.NextAttempt > now + LongestWait ? null : failure;

    /// <summary>
    /// Whether a time is ahead, but not by more than the longest wait. A longer one was recorded while the clock was far ahead.
    /// </summary>
    public static bool IsPlausibleWait(DateTimeOffset until, DateTimeOffset now) => until > now && until <= now + LongestWait;

    /// <summary>
    /// Returns the time of the next request for renewal information; now, if it was recorded while the clock was far ahead.
    /// </summary>
    public static DateTimeOffset NextPoll(RenewalInfoRecord? renewalInfo, DateTimeOffset now)
        => renewalInfo is null || renewalInfo.NextPoll > now + TimeSpan.FromDays(1) + LargestSkew ? now : renewalInfo.NextPoll;
}
