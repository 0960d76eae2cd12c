using KestrelAcme.Challenges;

namespace KestrelAcme.Certificates.Failures;

/// <summary>One failure, sorted: whose fault, the authority's words, and the wait it asked for.</summary>
internal sealed record FailureReport(FailureCause Cause, string? ProblemType, string Message, TimeSpan? RetryAfter = null)
{
    /// <summary>The DNS records that would mend it.</summary>
    public IReadOnlyList<RequiredDnsRecord> RequiredRecords { get; init; } = [];
}
