using KestrelAcme.Challenges;
using KestrelAcme.Diagnostics;

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

/// <summary>
/// What caused a failure. KestrelAcme counts the causes separately: an outage of the CA does not delay a name, and a name that fails does
/// not delay other names.
/// </summary>
public enum FailureCause
{
    /// <summary>The name: the CA could not validate it, or refused the order.</summary>
    Name,

    /// <summary>The CA: it is unreachable, returns errors, or asks KestrelAcme to wait.</summary>
    Authority,

    /// <summary>
    /// Something that only an operator can fix, such as terms of service to accept, an external account binding, a CAA record, or a name
    /// that the CA does not issue for.
    /// </summary>
    Operator,

    /// <summary>This machine: its store, its clock, or its listener.</summary>
    Local,
}

/// <summary>
/// The exception that is thrown if a certificate could not be obtained. The current certificate, if there is one, is still served, and
/// KestrelAcme tries again at <see cref="CertificateFailure.NextAttempt"/>.
/// </summary>
public sealed class CertificateException : Exception
{
    /// <summary>Initializes a new instance with the failure.</summary>
    /// <param name="certificateId">The <see cref="CertificateStatus.Id"/> of the certificate.</param>
    /// <param name="failure">The failure.</param>
    /// <param name="innerException">The exception that caused the failure.</param>
    public CertificateException(string certificateId, CertificateFailure failure, Exception? innerException = null)
        : base(QuotedText.Of($"{certificateId}: {failure.Message}"), innerException)
        => Failure = failure;

    /// <summary>The failure, with its cause and the time of the next attempt.</summary>
    public CertificateFailure Failure { get; }
}
