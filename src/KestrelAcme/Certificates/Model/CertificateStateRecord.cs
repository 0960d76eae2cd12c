using KestrelAcme.Protocol.Certificates;

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

    /// <summary>
    /// The directories of the CAs that they were obtained from, each at the same place; empty if it is not known. <see langword="null"/>
    /// before that was written down.
    /// </summary>
    public IReadOnlyList<string>? IssuedBy { get; init; }

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

    /// <summary>Returns the directory of the CA of one of <see cref="Issued"/>; empty if it is not known.</summary>
    public string IssuerAt(int index) => IssuedBy?.Count == Issued?.Length ? IssuedBy?[index] ?? "" : "";

    /// <summary>
    /// Returns what counts against the limits of the CAs, of states whose certificates are for the same names; <see langword="null"/> if
    /// nothing does any more.
    /// </summary>
    public static CertificateStateRecord? LimitsOf(IReadOnlyCollection<CertificateStateRecord> states, DateTimeOffset now)
    {
        var issued = states.SelectMany(s => (s.Issued ?? []).Select((at, i) => (At: at, By: s.IssuerAt(i))))
            .Where(i => i.At > now - LongestLimit).OrderBy(i => i.At).ToList();
        DateTimeOffset[] failed = [.. states.SelectMany(s => s.FailedValidations ?? []).Where(at => at > now - LongestLimit).Order()];
        var held = states.SelectMany(s => s.HeldUntil ?? new Dictionary<string, DateTimeOffset>()).Where(h => h.Value > now)
            .GroupBy(h => h.Key, h => h.Value).ToDictionary(h => h.Key, h => h.Max(), StringComparer.Ordinal);
        return issued.Count + failed.Length + held.Count == 0 ? null : new CertificateStateRecord
        {
            Issued = issued.Count > 0 ? [.. issued.Select(i => i.At)] : null,
            IssuedBy = issued.Count > 0 ? [.. issued.Select(i => i.By)] : null,
            FailedValidations = failed.Length > 0 ? failed : null,
            HeldUntil = held.Count > 0 ? held : null,
        };
    }

    private static DateTimeOffset? Instant(long ticks) => ticks == 0 ? null : new DateTimeOffset(ticks, TimeSpan.Zero);
}

/// <summary>The revocation of a certificate. Stored.</summary>
/// <param name="SerialNumber">The certificate's serial number, in hexadecimal.</param>
/// <param name="At">The time of the revocation, or the time at which KestrelAcme noticed it.</param>
/// <param name="OnPurpose">Whether the application revoked it for a reason that needs no new certificate.</param>
/// <param name="Reason">The reason, if it is known (RFC 5280 section 5.3.1).</param>
internal sealed record RevocationRecord(string SerialNumber, DateTimeOffset At, bool OnPurpose, RevocationReason? Reason);

/// <summary>Whether a certificate is revoked, and what follows.</summary>
internal enum RevocationState
{
    /// <summary>It is not known to be revoked.</summary>
    None,

    /// <summary>It is revoked and must be replaced at once.</summary>
    Replace,

    /// <summary>The application revoked it on purpose. It is renewed when its time comes, and renewal information is ignored.</summary>
    OnPurpose,
}

/// <summary>
/// Identifies a revocation list by its URL and issuer. Certificates of two issuers may name the same URL, and a list is valid only for the
/// certificates of its issuer.
/// </summary>
/// <param name="Url">The URL of the list.</param>
/// <param name="IssuerKey">The SHA-256 of the issuer's public key, in hexadecimal.</param>
internal sealed record RevocationListId(Uri Url, string IssuerKey);

/// <summary>An order that is about to be placed, or was placed. Stored before each step, so that a crash loses nothing.</summary>
internal sealed record StoredOrder
{
    public required IReadOnlyList<string> Names { get; init; }

    public required string KeyAlgorithm { get; init; }

    /// <summary>The key of the ordered certificate, as PKCS #8 in DER.</summary>
    public required byte[] PrivateKey { get; init; }

    public required Uri DirectoryUrl { get; init; }

    public required Uri AccountUrl { get; init; }

    public string? Profile { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>The order URL; <see langword="null"/> as long as it is unknown whether the CA has the order.</summary>
    public Uri? OrderUrl { get; init; }

    /// <summary>The time at which the challenges were submitted for validation, or were about to be.</summary>
    public DateTimeOffset? PostedAt { get; init; }

    /// <summary>Whether the attempt to place it ended in a counted failure. Then it was not left by a crash.</summary>
    public bool IsCounted { get; init; }

    /// <summary>The time at which the order expires, if the CA says so.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>How often the CA failed when it was asked for the order.</summary>
    public int Refusals { get; init; }

    /// <summary>The certificate URL, once the order is valid.</summary>
    public Uri? CertificateUrl { get; init; }

    public override string ToString() => $"order {OrderUrl?.ToString() ?? "(intent)"} for {string.Join(", ", Names)}";
}

/// <summary>
/// The number of certificates in a row that were obtained but could not be stored, and the earliest time of the next order: the CA must not
/// pay for a failing store. Pure.
/// </summary>
internal sealed record UnstoredOrders(int Count, DateTimeOffset NextOrder)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public static UnstoredOrders Next(UnstoredOrders? before, TimeSpan first, DateTimeOffset now)
    {
        var count = before?.Count ?? 0;
        var pause = first * Math.Pow(2, Math.Min(count, 20));
        return new UnstoredOrders(count + 1, now + (pause < Longest ? pause : Longest));
    }

    /// <summary>Returns the earliest time of the next order; now, if the clock went back.</summary>
    public DateTimeOffset NotBefore(DateTimeOffset now) => NextOrder > now + Longest ? now : NextOrder;
}
