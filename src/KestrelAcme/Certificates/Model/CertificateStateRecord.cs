using System.Text.Json.Serialization;

namespace KestrelAcme.Certificates.Model;

/// <summary>What is remembered of a managed certificate across restarts, beside the certificate itself.</summary>
internal sealed record CertificateStateRecord
{
    // Ten thousands of these are kept at once, and a DateTimeOffset? takes three times what its ticks do.
    private readonly long _since;
    private readonly long _lookedAt;
    private readonly long _rehearsalDownSince;

    public static CertificateStateRecord Empty { get; } = new();

    public int Version { get; init; } = 1;

    public CertificateState State { get; init; }

    public DateTimeOffset? Since
    {
        get => Instant(_since);
        init => _since = value?.UtcTicks ?? 0;
    }

    public CertificateFailure? Failure { get; init; }

    public RenewalInfoRecord? RenewalInfo { get; init; }

    // The name in stores that exist.
    [JsonPropertyName("pendingOrder")]
    public StoredOrder? StoredOrder { get; init; }

    /// <summary>The revocation of the certificate that is served, or of one before it.</summary>
    public RevocationRecord? Revocation { get; init; }

    /// <summary>When certificates for exactly these names were obtained, of the last week.</summary>
    public DateTimeOffset[]? Issued { get; init; }

    /// <summary>When validations for these names failed, of the last hour in which one did.</summary>
    public DateTimeOffset[]? FailedValidations { get; init; }

    /// <summary>The failures in a row that an authority is to blame for, by its id.</summary>
    public IReadOnlyDictionary<string, int>? AuthorityFailures { get; init; }

    /// <summary>Until when an authority wants no order for these names, by its id.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset>? HeldUntil { get; init; }

    /// <summary>When we last looked where the names of an abandoned certificate lead.</summary>
    public DateTimeOffset? LookedAt
    {
        get => Instant(_lookedAt);
        init => _lookedAt = value?.UtcTicks ?? 0;
    }

    /// <summary>The challenge types that failed since the last success; the next order tries another first.</summary>
    public IReadOnlyList<string>? FailedChallengeTypes { get; init; }

    /// <summary>Whether the next attempt is rehearsed where failures cost nothing.</summary>
    public bool Rehearse { get; init; }

    /// <summary>Since when the staging service could not be reached.</summary>
    public DateTimeOffset? RehearsalDownSince
    {
        get => Instant(_rehearsalDownSince);
        init => _rehearsalDownSince = value?.UtcTicks ?? 0;
    }

    /// <summary>
    /// Whether the attempt that failed last was cut off by the end of its process: the next one waits until its own has lived for a while, so that one that dies again and again
    /// fails no second validation.
    /// </summary>
    public bool CutOff { get; init; }

    /// <summary>Whether the authority refused the key of the certificate that is served, which was to be used again: the next order has a new one.</summary>
    public bool KeyRefused { get; init; }

    /// <summary>
    /// Whether an order was begun and is not over: where no work is under way, a crash, a stop or a failure cut it off. A failure of this machine alone proves no order.
    /// </summary>
    [JsonIgnore]
    public bool IsUnfinished
        => StoredOrder is not null || State is CertificateState.Ordering or CertificateState.Renewing or CertificateState.RenewalDue || Failure is { Cause: not FailureCause.Local };

    private static DateTimeOffset? Instant(long ticks) => ticks == 0 ? null : new DateTimeOffset(ticks, TimeSpan.Zero);
}
