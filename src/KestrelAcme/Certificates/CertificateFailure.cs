using KestrelAcme.Challenges;

namespace KestrelAcme.Certificates;

/// <summary>The last failure of a certificate since its last success.</summary>
public sealed record CertificateFailure
{
    /// <summary>
    /// The number of attempts in a row that failed because of the name or because an operator must act. Outages of the CA and failures of
    /// this machine do not count.
    /// </summary>
    public int Count { get; init; }

    /// <summary>
    /// The type of the problem that the CA reported (RFC 8555 section 6.7), such as <c>urn:ietf:params:acme:error:caa</c>.
    /// </summary>
    /// <value><see langword="null"/> if the CA reported none.</value>
    public string? ProblemType { get; init; }

    /// <summary>What went wrong and how to fix it, for people. It contains no secrets.</summary>
    public required string Message { get; init; }

    /// <summary>The time of the failure.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>
    /// The earliest time of the next attempt. If <see cref="RequiredRecords"/> is not empty, KestrelAcme checks DNS in the meantime, and
    /// tries again as soon as DNS shows a change.
    /// </summary>
    public required DateTimeOffset NextAttempt { get; init; }

    /// <summary>
    /// The DNS records that an operator has to create before another attempt can succeed, such as a CAA record, the record of
    /// <c>dns-persist-01</c>, or a CNAME.
    /// </summary>
    /// <value>Empty if no record would help.</value>
    public IReadOnlyList<RequiredDnsRecord> RequiredRecords { get; init; } = [];

    /// <summary>The cause of the failure.</summary>
    public required FailureCause Cause { get; init; }
}
