namespace KestrelAcme.Certificates.Model;

/// <summary>The stored state of a managed certificate, beside the certificate itself.</summary>
internal sealed record CertificateStateRecord
{
    private static readonly TimeSpan LongestLimit = TimeSpan.FromDays(7);

    // Tens of thousands of these are in memory at once, and a DateTimeOffset? takes three times the space of its ticks.
    private readonly long _since;
    private readonly long _lookedAt;
    private readonly long _rehearsalDownSince;
    private readonly long _recordsEnd;

    public static CertificateStateRecord Empty { get; } = new();

    public int Version { get; init; } = 1;

    public CertificateState State { get; init; }

    public DateTimeOffset? Since
    {
        get => Instant(_since);
        init => _since = value?.UtcTicks ?? 0;
    }

    public FailureRecord? Failure { get; init; }

    public RenewalInfoRecord? RenewalInfo { get; init; }

    public StoredOrder? StoredOrder { get; init; }

    /// <summary>The revocation of the current certificate, or of an earlier one.</summary>
    public RevocationRecord? Revocation { get; init; }

    /// <summary>The times of the last week at which certificates for exactly these names were obtained.</summary>
    public DateTimeOffset[]? Issued { get; init; }

    /// <summary>The times at which validations of these names failed, of the last hour in which one did.</summary>
    public DateTimeOffset[]? FailedValidations { get; init; }

    /// <summary>The failures in a row through the fault of a CA, by the ID of the CA.</summary>
    public IReadOnlyDictionary<string, int>? AuthorityFailures { get; init; }

    /// <summary>The time until which a CA accepts no order for these names, by the ID of the CA.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset>? HeldUntil { get; init; }

    /// <summary>The time of the last check of where the names of an abandoned certificate point.</summary>
    public DateTimeOffset? LookedAt
    {
        get => Instant(_lookedAt);
        init => _lookedAt = value?.UtcTicks ?? 0;
    }

    /// <summary>The challenge types that failed since the last success. The next order tries another one first.</summary>
    public IReadOnlyList<string>? FailedChallengeTypes { get; init; }

    /// <summary>Whether the next attempt is rehearsed at a staging service, where failures cost nothing.</summary>
    public bool Rehearse { get; init; }

    /// <summary>The time since which the staging service cannot be reached.</summary>
    public DateTimeOffset? RehearsalDownSince
    {
        get => Instant(_rehearsalDownSince);
        init => _rehearsalDownSince = value?.UtcTicks ?? 0;
    }

    /// <summary>
    /// When the first of the records expires that proved the names and stay in DNS (dns-persist-01), as the last order saw them.
    /// </summary>
    public DateTimeOffset? RecordsEnd
    {
        get => Instant(_recordsEnd);
        init => _recordsEnd = value?.UtcTicks ?? 0;
    }

    /// <summary>
    /// Whether the last failed attempt was cut off because its process ended. The next attempt waits until its own process has run for a
    /// while, so that a crash loop does not fail another validation.
    /// </summary>
    public bool CutOff { get; init; }

    /// <summary>Whether the CA refused to reuse the key of the current certificate. The next order uses a new key.</summary>
    public bool KeyRefused { get; init; }

    /// <summary>
    /// Whether an order was begun and is not over. If no job is running, a crash, a stop or a failure interrupted it. A failure of this
    /// machine alone does not prove that there is an order.
    /// </summary>
    public bool IsUnfinished
        => StoredOrder is not null
            || State is CertificateState.Ordering or CertificateState.Renewing or CertificateState.RenewalDue
            || Failure is { Cause: not FailureCause.Local };

    /// <summary>
    /// Returns what counts against the limits of the CAs, of states whose certificates are for the same names; <see langword="null"/> if
    /// nothing does any more.
    /// </summary>
    public static CertificateStateRecord? LimitsOf(IReadOnlyCollection<CertificateStateRecord> states, DateTimeOffset now)
    {
        DateTimeOffset[] issued = [.. states.SelectMany(s => s.Issued ?? []).Where(at => at > now - LongestLimit).Order()];
        DateTimeOffset[] failed = [.. states.SelectMany(s => s.FailedValidations ?? []).Where(at => at > now - LongestLimit).Order()];
        var held = states.SelectMany(s => s.HeldUntil ?? new Dictionary<string, DateTimeOffset>()).Where(h => h.Value > now)
            .GroupBy(h => h.Key, h => h.Value).ToDictionary(h => h.Key, h => h.Max(), StringComparer.Ordinal);
        return issued.Length + failed.Length + held.Count == 0 ? null : new CertificateStateRecord
        {
            Issued = issued.Length > 0 ? issued : null,
            FailedValidations = failed.Length > 0 ? failed : null,
            HeldUntil = held.Count > 0 ? held : null,
        };
    }

    private static DateTimeOffset? Instant(long ticks) => ticks == 0 ? null : new DateTimeOffset(ticks, TimeSpan.Zero);
}
