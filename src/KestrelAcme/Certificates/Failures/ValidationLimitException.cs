using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.Failures;

/// <summary>We stop by ourselves before the authority would: one more failed validation could have the name refused for an hour.</summary>
internal sealed class ValidationLimitException(int failed, DateTimeOffset next, TimeSpan retryAfter, string? last)
    : Exception(QuotedText.Of($"{failed} {Mark} {next:u}{End}{CauseOf(last)}".TrimEnd()))
{
    private const string Mark = "validations of a name failed within an hour; public CAs allow 5. The next attempt is on";
    private const string End = " at the earliest. ";

    public TimeSpan RetryAfter { get; } = retryAfter;

    // What the CA said comes along. A message of this kind does not come along as a whole: it would grow with every attempt.
    private static string? CauseOf(string? last)
        => last is not null && last.Contains(Mark, StringComparison.Ordinal) && last.IndexOf(End, StringComparison.Ordinal) is var end and >= 0
            ? last[(end + End.Length)..]
            : last;
}
