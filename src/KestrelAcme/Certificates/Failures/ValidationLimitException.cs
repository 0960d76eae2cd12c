using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Failures;

/// <summary>
/// KestrelAcme stops before it reaches a limit of the CA: after one more failed validation, the CA might refuse the name for an hour.
/// </summary>
internal sealed class ValidationLimitException(int failed, DateTimeOffset next, TimeSpan retryAfter, string? last)
    : Exception(QuotedText.Of($"{failed} {Mark} {next:u}{End}{CauseOf(last)}".TrimEnd()))
{
    private const string Mark = "validations of a name failed within an hour; public CAs allow 5. The next attempt is on";
    private const string End = " at the earliest. ";

    public TimeSpan RetryAfter { get; } = retryAfter;

    // The message includes the CA's words of the last failure, but not a whole message of this kind, which would grow with every attempt.
    private static string? CauseOf(string? last)
        => last is not null
            && last.Contains(Mark, StringComparison.Ordinal) && last.IndexOf(End, StringComparison.Ordinal) is var end and >= 0
            ? last[(end + End.Length)..]
            : last;
}

/// <summary>
/// KestrelAcme stops before it reaches a limit of the CA: after one more certificate for these names, they might not be renewable for a
/// week.
/// </summary>
internal sealed class ExactSetLimitException(int issued, DateTimeOffset next, TimeSpan retryAfter)
    : Exception(
        $"{issued} certificates for exactly these names were obtained within 7 days; public CAs allow 5. The next one is ordered on " +
        $"{next:u} at the earliest. Find out why the app orders again and again: a store that is lost, or a restart loop.")
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>The CA asks for fewer requests of this client, whatever the names are.</summary>
internal sealed class AccountLimitedException(AcmeRateLimitedException limited) : Exception(limited.Message, limited)
{
    public AcmeRateLimitedException Limited { get; } = limited;
}
