using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Failures;

/// <summary>The CA set the order or one of its authorizations to "invalid": a name was not validated, or the request was refused.</summary>
internal sealed class OrderFailedException(string message, AcmeProblem? problem, string? challengeType = null)
    : Exception(QuotedText.Of(message))
{
    /// <summary>The CA's problem document, if there is one.</summary>
    public AcmeProblem? Problem { get; } = problem;

    /// <summary>The type of the failed challenge, if a challenge failed.</summary>
    public string? ChallengeType { get; } = challengeType;

    /// <summary>Whether the failed challenge was for an IP address.</summary>
    public bool IsAddress { get; init; }

    /// <summary>Whether it failed before this attempt, after the process that placed the order had ended.</summary>
    public bool LeftBehind { get; init; }
}

/// <summary>
/// The account is valid but may not order these names: the CA refused the new order with "unauthorized", before any validation.
/// </summary>
internal sealed class OrderForbiddenException(AcmeException refusal) : Exception(
    $"{refusal.Message} The account is valid, and the CA accepted orders for other names: check with the CA which names this account "
    + "may order.",
    refusal)
{
    public AcmeException Refusal => refusal;
}

/// <summary>An earlier run ended between placing an order and storing the response.</summary>
internal sealed class OrderOutcomeUnknownException()
    : Exception(
        "An earlier run ended while it placed an order, so the outcome is unknown. The CA may have accepted the order. "
        + "The next attempt waits, as after a failure.");

/// <summary>
/// Another instance continued an order that was in progress here, because this instance's lease was deleted, or expired while the process
/// was suspended.
/// </summary>
internal sealed class OrderOvertakenException()
    : Exception(
        "Another instance took over this order while it was in progress here, and finished or dropped it. "
        + "The certificate that it obtained is served as soon as it is in the store.");

/// <summary>
/// The CA returned an order that is in progress for another certificate with the same names and another key. That one is finished first.
/// </summary>
internal sealed class OrderTakenException(Uri orderUrl)
    : Exception(
        $"The CA returned the order {QuotedText.Of(orderUrl)}, which is in progress for another certificate with the same names. "
        + "KestrelAcme tries again when that order is finished.");

/// <summary>
/// The CA answered the request for a new order with the finished order of the certificate that is to be replaced: no new certificate can
/// come of it.
/// </summary>
internal sealed class OrderRepeatedException(Uri orderUrl)
    : Exception(
        $"The CA answered the request for a new order with the order {QuotedText.Of(orderUrl)}, which is finished: its certificate is "
        + "the one that is to be replaced. Ask the operator of the CA why it does not accept a new order for these names.");

/// <summary>An order in progress was dropped, because it may use a key that was revoked as compromised.</summary>
internal sealed class OrderWithdrawnException()
    : Exception(
        "The order was dropped, because a key was revoked as compromised and the order may have used it. The next order gets a new key.");

/// <summary>The staging service cannot be reached, and has not been unreachable long enough to order without a rehearsal.</summary>
internal sealed class RehearsalUnavailableException()
    : Exception(
        "After a failed validation, the next attempt is rehearsed at the CA's staging service, which could not be reached. "
        + "If that lasts an hour, KestrelAcme orders from production without a rehearsal.");

/// <summary>The clocks of this machine and of the CA are more than an hour apart. Nothing is ordered with a wrong clock.</summary>
internal sealed class ClockSkewException(TimeSpan skew, Uri directoryUrl)
    : Exception(
        $"The clock of this machine is {skew.Duration().TotalHours:0.#} hours {(skew > TimeSpan.Zero ? "ahead of" : "behind")} the clock " +
        $"of {directoryUrl.IdnHost}. Nothing is ordered until they agree to within an hour: set the clock, or start a time service.");

/// <summary>
/// The CA issued a certificate that must not be served: it has another key or other names, is already expired, or has no chain that clients
/// can verify.
/// </summary>
internal sealed class UnusableCertificateException(string message) : Exception(QuotedText.Of(message))
{
    /// <summary>
    /// Whether the certificate itself is wrong, so that only another order can help. Otherwise another download may return a better chain.
    /// </summary>
    public bool IsLeafWrong { get; init; }
}

/// <summary>
/// The CA issued a certificate that is not valid yet, while the current certificate is. The order is kept, and its certificate is
/// downloaded again when it is useful.
/// </summary>
internal sealed class CertificateNotYetValidException(DateTimeOffset notBefore, DateTimeOffset servedUntil, DateTimeOffset now) : Exception(
    $"The CA issued a certificate that is valid only from {notBefore:u}, and this machine's clock says {now:u}: clients would refuse it "
    + $"until then. The current certificate, valid until {servedUntil:u}, is served until one of the two times. "
    + "If this machine's clock is wrong, set it; otherwise ask the CA why it issues certificates for the future.")
{
    /// <summary>The time until the certificate is valid, or the current one has expired, whichever comes first.</summary>
    public TimeSpan RetryAfter { get; } = (notBefore < servedUntil ? notBefore : servedUntil) - now;
}

/// <summary>Describes why an authorization failed (RFC 8555 section 7.1.4). Pure.</summary>
internal static class AuthorizationFailure
{
    /// <param name="authorization">The authorization.</param>
    /// <param name="explanation">What KestrelAcme found out about the failure from here.</param>
    /// <param name="leftBehind">Whether the authorization failed before this attempt.</param>
    public static OrderFailedException Create(Authorization authorization, string? explanation, bool leftBehind)
    {
        var failed = authorization.Challenges.FirstOrDefault(c => c.Error is not null);
        var reason = failed?.Error is { } problem
            ? $"{failed.Type}: {problem}"
            : $"the authorization is {authorization.Status.ToString().ToLowerInvariant()}";
        var more = explanation is null ? "" : $". {explanation}";
        var message = $"{authorization.Identifier.Value} was not validated: {reason.TrimEnd('.')}{more}";
        return new OrderFailedException(message, failed?.Error, failed?.Type)
        {
            LeftBehind = leftBehind,
            IsAddress = authorization.Identifier.Type == "ip",
        };
    }
}

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
