using KestrelAcme.Challenges;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates;

/// <summary>
/// The status of a managed certificate at one moment. Immutable: call <see cref="ICertificateManager.Find"/> again for the latest.
/// </summary>
public sealed record CertificateStatus
{
    /// <summary>
    /// The ID of the certificate: its first name, with a suffix for groups of names, wildcards, and further key algorithms.
    /// </summary>
    public required string Id { get; init; }

    /// <summary>The names of the certificate: DNS names as A-labels, wildcards with a leading <c>*.</c>, or IP addresses.</summary>
    public required IReadOnlyList<string> DomainNames { get; init; }

    /// <summary>The state of the certificate.</summary>
    public required CertificateState State { get; init; }

    /// <summary>The serial number of the certificate that is served, in hexadecimal.</summary>
    /// <value><see langword="null"/> if there is no certificate yet.</value>
    public string? SerialNumber { get; init; }

    /// <summary>The distinguished name of the issuer.</summary>
    /// <value><see langword="null"/> if there is no certificate yet.</value>
    public string? Issuer { get; init; }

    /// <summary>The time from which the certificate is valid.</summary>
    /// <value><see langword="null"/> if there is no certificate yet.</value>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>The time at which the certificate expires.</summary>
    /// <value><see langword="null"/> if there is no certificate yet.</value>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>The directory URL of the CA that issued the certificate.</summary>
    /// <value><see langword="null"/> if there is no certificate yet, or if the CA is not known any more.</value>
    public Uri? DirectoryUrl { get; init; }

    /// <summary>The URL of the account that ordered it; <see langword="null"/> if it is unknown.</summary>
    public Uri? AccountUrl { get; init; }

    /// <summary>The planned time of the next order. The time of a renewal can move when the CA suggests another one (RFC 9773).</summary>
    /// <value><see langword="null"/> if no order is planned.</value>
    public DateTimeOffset? NextOrder { get; init; }

    /// <summary>
    /// The time until which a due renewal is held back, because other certificates for these names were obtained recently. Otherwise a CA
    /// that asks to renew every certificate at once would cause orders without end. <see cref="ICertificateManager.RenewAsync"/> renews
    /// anyway.
    /// </summary>
    /// <value><see langword="null"/> if no renewal is held back.</value>
    public DateTimeOffset? HeldBackUntil { get; init; }

    /// <summary>
    /// When the first of the <c>dns-persist-01</c> records expires that proved the names (their <c>persistUntil</c>), as the last order saw
    /// them. Renewals after that time fail until the record is replaced.
    /// </summary>
    /// <value><see langword="null"/> if none of them expires, or none was used.</value>
    public DateTimeOffset? PersistRecordsUntil { get; init; }

    /// <summary>A page of the CA that explains the suggested time of the renewal (<c>explanationURL</c>, RFC 9773 section 4.2).</summary>
    /// <value><see langword="null"/> if the CA gives no explanation.</value>
    public Uri? RenewalExplanation { get; init; }

    /// <summary>Whether the certificate that is served is known to be revoked.</summary>
    public bool Revoked { get; init; }

    /// <summary>The last failure since the last success.</summary>
    /// <value><see langword="null"/> if nothing failed since.</value>
    public CertificateFailure? Failure { get; init; }

    /// <summary>The URL of the order in progress (RFC 8555 section 7.1.3).</summary>
    /// <value><see langword="null"/> if there is no order in progress.</value>
    public Uri? OrderUrl { get; init; }
}

/// <summary>The states of a managed certificate. The state is stored and survives a restart.</summary>
public enum CertificateState
{
    /// <summary>There is no certificate yet, and none is being ordered.</summary>
    Missing,

    /// <summary>The first certificate is being ordered.</summary>
    Ordering,

    /// <summary>A certificate is served, and no renewal is due.</summary>
    Valid,

    /// <summary>
    /// A certificate is served, and its renewal is due: it waits for a free slot, or for the next attempt after this machine failed.
    /// </summary>
    RenewalDue,

    /// <summary>A certificate is served, and its renewal is in progress.</summary>
    Renewing,

    /// <summary>The last attempt failed, and KestrelAcme waits before the next one. The current certificate is still served.</summary>
    Waiting,

    /// <summary>
    /// The last attempt failed for a reason that only an operator can fix. KestrelAcme retries daily, and as soon as DNS shows a change if
    /// a DNS record is missing. The current certificate is still served.
    /// </summary>
    Blocked,

    /// <summary>
    /// The certificate expired 30 days ago and its names no longer point to this application: they are gone from DNS, or another server
    /// answers at all their addresses. Nothing is ordered until a name points here again (checked once a day), the settings change, or the
    /// application calls <see cref="ICertificateManager.ObtainAsync"/> or <see cref="ICertificateManager.RenewAsync"/>. The expired
    /// certificate is still served.
    /// </summary>
    Abandoned,
}

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
