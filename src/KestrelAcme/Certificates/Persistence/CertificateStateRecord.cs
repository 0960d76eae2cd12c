using KestrelAcme.Certificates.Renewal;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>What is remembered of a managed certificate across restarts, beside the certificate itself.</summary>
internal sealed record CertificateStateRecord
{
    public static CertificateStateRecord Empty { get; } = new();

    public int Version { get; init; } = 1;

    public CertificateState State { get; init; }

    public DateTimeOffset? Since { get; init; }

    public CertificateFailure? Failure { get; init; }

    public RenewalInfoRecord? RenewalInfo { get; init; }

    public PendingOrder? PendingOrder { get; init; }
}
