using System.Net;
using System.Security.Cryptography;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Challenges;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Failures;

/// <summary>Classifies exceptions by the cause of the failure. Pure.</summary>
internal static class FailureClassifier
{
    public static FailureReport Classify(Exception exception) => exception switch
    {
        AccountBlockedException blocked => new FailureReport(FailureCause.Operator, blocked.Block.ProblemType, blocked.Message),
        OrderForbiddenException forbidden => new FailureReport(FailureCause.Operator, forbidden.Refusal.Problem?.Type, forbidden.Message),
        OrderFailedException failed => new FailureReport(
            CauseOf(failed.Problem?.Type, FailureCause.Name), failed.Problem?.Type,
            Advised(failed.Message, ProblemAdvice.For(failed.Problem?.Type, failed.ChallengeType, failed.IsAddress)))
        {
            IsOfAddresses = IsOfAddresses(failed),
        },
        AccountLimitedException limited => Classify(limited.Limited),
        AcmeRateLimitedException limited => new FailureReport(
            FailureCause.Authority, limited.Problem?.Type,
            Advised(limited.Message, ProblemAdvice.For(AcmeProblemTypes.RateLimited)), limited.RetryAfter),
        AcmeUnreachableException unreachable
            => new FailureReport(FailureCause.Authority, null, $"{unreachable.Message} {ProblemAdvice.ForUnreachable(unreachable)}"),
        AcmeMalformedResponseException => new FailureReport(FailureCause.Authority, null,
            $"{exception.Message} If it repeats, check AcmeHttps:DirectoryUrl."),
        AcmePollingTimeoutException => new FailureReport(FailureCause.Authority, null, exception.Message),
        AcmeException acme => Classify(acme),
        ChallengeException challenge => new FailureReport(CauseOf(challenge.Fault), null, challenge.Message, challenge.RetryAfter)
        {
            RequiredRecords = challenge.RequiredRecords,
        },
        OrderOutcomeUnknownException => new FailureReport(FailureCause.Name, null, exception.Message),
        UnusableCertificateException or OrderRepeatedException => new FailureReport(FailureCause.Authority, null, exception.Message),
        CertificateNotYetValidException early => new FailureReport(FailureCause.Local, null, early.Message, early.RetryAfter),
        ExactSetLimitException limit => new FailureReport(FailureCause.Local, null, limit.Message, limit.RetryAfter),
        ValidationLimitException limit => new FailureReport(FailureCause.Local, null, limit.Message, limit.RetryAfter),
        OrderTakenException or OrderWithdrawnException or OrderOvertakenException or RehearsalUnavailableException or ClockSkewException
            or StorageUnavailableException or LeaseLostException or CryptographicException
            => new FailureReport(FailureCause.Local, null, exception.Message),
        _ => new FailureReport(FailureCause.Local, null, $"{exception.GetType().Name}: {exception.Message}"),
    };

    /// <summary>Whether a failure concerns all names: the CA cannot be reached, fails as a whole, or refuses this client.</summary>
    public static bool IsOutage(Exception exception) => exception switch
    {
        AcmeUnreachableException or AcmeMalformedResponseException => true,
        // The response does not come from an ACME server, but from something in front of it that knows no names.
        AcmeRateLimitedException { Problem: null } or AccountLimitedException => true,
        AcmeException acme => acme.StatusCode >= HttpStatusCode.InternalServerError,
        ClockSkewException => true,
        _ => false,
    };

    private static bool IsOfAddresses(OrderFailedException failed)
        => failed is { ChallengeType: "http-01" or "tls-alpn-01", IsAddress: false }
            && failed.Problem?.Type is AcmeProblemTypes.Connection or AcmeProblemTypes.Dns or AcmeProblemTypes.Unauthorized
                or AcmeProblemTypes.IncorrectResponse or AcmeProblemTypes.Tls;

    private static FailureReport Classify(AcmeException exception)
    {
        // A server error is the CA's fault, whatever it says about the name. So is an error without an ACME problem document.
        if (exception is { StatusCode: HttpStatusCode.ServiceUnavailable, RetryAfter: not null })
        {
            var message = $"{Sentence(exception.Message)} The CA is unavailable as a whole, and says until when.";
            return new FailureReport(FailureCause.Authority, exception.Problem?.Type, message, exception.RetryAfter);
        }

        var byStatus = exception.Problem is null || exception.StatusCode >= HttpStatusCode.InternalServerError
            ? FailureCause.Authority
            : FailureCause.Name;
        return new FailureReport(
            CauseOf(exception.Problem?.Type, byStatus), exception.Problem?.Type, Refused(exception), exception.RetryAfter);
    }

    private static FailureCause CauseOf(ChallengeFault fault) => fault switch
    {
        ChallengeFault.Operator => FailureCause.Operator,
        ChallengeFault.Local => FailureCause.Local,
        _ => FailureCause.Name,
    };

    // No validation failed, so advice about records and ports would be misleading.
    private static string Refused(AcmeException exception)
        => exception.Problem?.Type is AcmeProblemTypes.Unauthorized or AcmeProblemTypes.Connection
        or AcmeProblemTypes.Dns or AcmeProblemTypes.Tls or AcmeProblemTypes.IncorrectResponse
        ? exception.Message
        : Advised(exception.Message, ProblemAdvice.For(exception.Problem?.Type));

    private static string Advised(string message, string? advice) => advice is null ? message : $"{Sentence(message)} {advice}";

    private static string Sentence(string message) => message[^1] is '.' or '!' or '?' ? message : message + ".";

    private static FailureCause CauseOf(string? problemType, FailureCause otherwise) => problemType switch
    {
        AcmeProblemTypes.RejectedIdentifier or AcmeProblemTypes.Caa or AcmeProblemTypes.UserActionRequired
            or AcmeProblemTypes.ExternalAccountRequired or AcmeProblemTypes.UnsupportedIdentifier or AcmeProblemTypes.InvalidContact
            or AcmeProblemTypes.UnsupportedContact or AcmeProblemTypes.InvalidProfile => FailureCause.Operator,
        AcmeProblemTypes.RateLimited or AcmeProblemTypes.ServerInternal or AcmeProblemTypes.BadNonce => FailureCause.Authority,
        _ => otherwise,
    };
}

/// <summary>A classified failure: its cause, the CA's words, and the wait that the CA asked for.</summary>
internal sealed record FailureReport(FailureCause Cause, string? ProblemType, string Message, TimeSpan? RetryAfter = null)
{
    /// <summary>Whether a validation failed that connects to the addresses of the name: where they lead may be the cause.</summary>
    public bool IsOfAddresses { get; init; }

    /// <summary>The DNS records that would fix it.</summary>
    public IReadOnlyList<RequiredDnsRecord> RequiredRecords { get; init; } = [];
}
