using System.Net;
using System.Security.Cryptography;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

/// <summary>The cause of a failure, and the advice to the operator, for each response of a CA.</summary>
public sealed class FailureClassifierTests
{
    private const string Words = "The CA's own words";

    /// <summary>A response: problem type, status, cause, whether it concerns all names, and a word of the advice.</summary>
    public static TheoryData<string?, int, FailureCause, bool, string> Answers => new()
    {
        { "rejectedIdentifier", 400, FailureCause.Operator, false, "remove it from AcmeHttps" },
        { "unsupportedIdentifier", 400, FailureCause.Operator, false, "another CA" },
        { "caa", 403, FailureCause.Operator, false, "CAA record" },
        { "userActionRequired", 403, FailureCause.Operator, false, "AcceptTermsOfService" },
        { "externalAccountRequired", 403, FailureCause.Operator, false, "ExternalAccountBinding" },
        { "invalidContact", 400, FailureCause.Operator, false, "EmailAddress" },
        { "unsupportedContact", 400, FailureCause.Operator, false, "EmailAddress" },
        { "invalidProfile", 400, FailureCause.Operator, false, "Profile" },
        { "badCSR", 400, FailureCause.Name, false, "" },
        { "badPublicKey", 400, FailureCause.Name, false, "" },
        { "malformed", 400, FailureCause.Name, false, "" },
        { "malformed", 404, FailureCause.Name, false, "" },
        { "orderNotReady", 403, FailureCause.Name, false, "" },
        { "unauthorized", 403, FailureCause.Name, false, "" },
        { "somethingNew", 400, FailureCause.Name, false, "" },
        { "badNonce", 400, FailureCause.Authority, false, "" },
        { "serverInternal", 500, FailureCause.Authority, true, "" },
        { "malformed", 500, FailureCause.Authority, true, "" },
        { "serverInternal", 503, FailureCause.Authority, true, "" },
        { null, 403, FailureCause.Authority, false, "" },
        { null, 502, FailureCause.Authority, true, "" },
    };

    /// <summary>A failed validation: problem type, cause, and a word of the advice.</summary>
    public static TheoryData<string?, FailureCause, string> Validations => new()
    {
        { "connection", FailureCause.Name, "port 80" },
        { "dns", FailureCause.Name, "name servers" },
        { "unauthorized", FailureCause.Name, "A and AAAA records" },
        { "incorrectResponse", FailureCause.Name, "A and AAAA records" },
        { "tls", FailureCause.Name, "port 443" },
        { "caa", FailureCause.Operator, "CAA record" },
        { "rejectedIdentifier", FailureCause.Operator, "AcmeHttps" },
        { "serverInternal", FailureCause.Authority, "" },
        { "rateLimited", FailureCause.Authority, "rate limit" },
        { null, FailureCause.Name, "" },
    };

    /// <summary>Failures of this machine, and of the way to the CA.</summary>
    public static TheoryData<string, FailureCause, bool> Others => new()
    {
        { nameof(AcmeUnreachableException), FailureCause.Authority, true },
        { nameof(AcmeMalformedResponseException), FailureCause.Authority, true },
        { nameof(AcmePollingTimeoutException), FailureCause.Authority, false },
        { nameof(UnusableCertificateException), FailureCause.Authority, false },
        { nameof(AccountLimitedException), FailureCause.Authority, true },
        { nameof(AccountBlockedException), FailureCause.Operator, false },
        { nameof(OrderForbiddenException), FailureCause.Operator, false },
        { nameof(OrderOutcomeUnknownException), FailureCause.Name, false },
        { nameof(ClockSkewException), FailureCause.Local, true },
        { nameof(StorageUnavailableException), FailureCause.Local, false },
        { nameof(LeaseLostException), FailureCause.Local, false },
        { nameof(CryptographicException), FailureCause.Local, false },
        { nameof(TimeoutException), FailureCause.Local, false },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public void Classify_ResponseOfTheCa_HasACauseAndAdvice(
        string? type, int status, FailureCause cause, bool concernsAll, string advice)
    {
        var exception = new AcmeException(Words) { StatusCode = (HttpStatusCode)status, Problem = Problem(type) };

        var report = FailureClassifier.Classify(exception);

        Assert.Equal((cause, Problem(type)?.Type), (report.Cause, report.ProblemType));
        Assert.StartsWith(Words, report.Message, StringComparison.Ordinal);
        Assert.Contains(advice, report.Message, StringComparison.Ordinal);
        Assert.Equal(advice.Length > 0, report.Message != Words);
        Assert.Equal(concernsAll, FailureClassifier.IsOutage(exception));
    }

    [Theory]
    [MemberData(nameof(Validations))]
    public void Classify_ValidationFailed_HasACauseAndAdvice(string? type, FailureCause cause, string advice)
    {
        var exception = new OrderFailedException(Words, Problem(type));

        var report = FailureClassifier.Classify(exception);

        Assert.Equal((cause, Problem(type)?.Type), (report.Cause, report.ProblemType));
        Assert.Contains(Words, report.Message, StringComparison.Ordinal);
        Assert.Contains(advice, report.Message, StringComparison.Ordinal);
        Assert.False(FailureClassifier.IsOutage(exception));
    }

    [Theory]
    [MemberData(nameof(Others))]
    public void Classify_OtherFailure_HasACause(string kind, FailureCause cause, bool concernsAll)
    {
        var exception = Create(kind);

        Assert.Equal(cause, FailureClassifier.Classify(exception).Cause);
        Assert.Equal(concernsAll, FailureClassifier.IsOutage(exception));
    }

    [Fact]
    public void Classify_RateLimitOfAName_IsTheAuthoritysAndWaitsAsAsked()
    {
        var limited = new AcmeRateLimitedException(Words)
        {
            StatusCode = HttpStatusCode.TooManyRequests,
            Problem = Problem("rateLimited"),
            RetryAfter = TimeSpan.FromHours(5),
        };

        var report = FailureClassifier.Classify(limited);

        Assert.Equal((FailureCause.Authority, TimeSpan.FromHours(5)), (report.Cause, report.RetryAfter));
        Assert.Contains("rate limit", report.Message, StringComparison.Ordinal);
        Assert.False(FailureClassifier.IsOutage(limited));
    }

    [Fact]
    public void Classify_429WithoutAProblem_ConcernsAllNames()
        => Assert.True(FailureClassifier.IsOutage(new AcmeRateLimitedException(Words) { StatusCode = HttpStatusCode.TooManyRequests }));

    [Fact]
    public void Classify_UnavailableUntilATime_IsNotARateLimit()
    {
        var exception = new AcmeException(Words) { StatusCode = HttpStatusCode.ServiceUnavailable, RetryAfter = TimeSpan.FromHours(1) };

        var report = FailureClassifier.Classify(exception);

        Assert.Equal((FailureCause.Authority, TimeSpan.FromHours(1)), (report.Cause, report.RetryAfter));
        Assert.DoesNotContain("limit", report.Message, StringComparison.OrdinalIgnoreCase);
        Assert.True(FailureClassifier.IsOutage(exception));
    }

    [Theory]
    [InlineData(ChallengeFault.Operator, FailureCause.Operator)]
    [InlineData(ChallengeFault.Local, FailureCause.Local)]
    [InlineData(ChallengeFault.Name, FailureCause.Name)]
    public void Classify_ChallengeFailed_AsItsHandlerSays(ChallengeFault fault, FailureCause cause)
        => Assert.Equal(cause, FailureClassifier.Classify(new ChallengeException(Words) { Fault = fault }).Cause);

    [Fact]
    public void Classify_TlsOfTheAuthorityIsNotTrusted_NamesTheSetting()
        => Assert.Contains(
            "TrustedRootsPath",
            FailureClassifier.Classify(new AcmeUnreachableException(Words)
            {
                IsTlsFailure = true,
                Reason = AcmeUnreachableReason.CertificateNotTrusted,
            }).Message,
            StringComparison.Ordinal);

    private static AcmeProblem? Problem(string? type)
        => type is null ? null : new AcmeProblem { Type = AcmeProblemTypes.Prefix + type, Detail = "No." };

    private static Exception Create(string kind) => kind switch
    {
        nameof(AcmeUnreachableException) => new AcmeUnreachableException(Words),
        nameof(AcmeMalformedResponseException) => new AcmeMalformedResponseException(Words),
        nameof(AcmePollingTimeoutException) => new AcmePollingTimeoutException(Words),
        nameof(UnusableCertificateException) => new UnusableCertificateException(Words),
        nameof(AccountLimitedException) => new AccountLimitedException(new AcmeRateLimitedException(Words)),
        nameof(AccountBlockedException) => new AccountBlockedException(
            new AccountBlock { Message = Words, At = default, NextAttempt = default, Settings = "" }),
        nameof(OrderForbiddenException) => new OrderForbiddenException(new AcmeException(Words)),
        nameof(OrderOutcomeUnknownException) => new OrderOutcomeUnknownException(),
        nameof(ClockSkewException) => new ClockSkewException(TimeSpan.FromHours(2), new Uri("https://ca.test/dir")),
        nameof(StorageUnavailableException) => new StorageUnavailableException(Words),
        nameof(LeaseLostException) => new LeaseLostException("orders/x"),
        nameof(CryptographicException) => new CryptographicException(Words),
        _ => new TimeoutException(Words),
    };
}
