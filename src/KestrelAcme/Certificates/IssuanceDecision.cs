using KestrelAcme.Configuration;

namespace KestrelAcme.Certificates;

/// <summary>The result of <see cref="IIssuancePermission.AskAsync"/>: yes, no, or not known. Immutable.</summary>
public sealed class IssuanceDecision
{
    private static readonly TimeSpan LongestDenial = TimeSpan.FromDays(1);
    private static readonly IssuanceDecision Allowed = new(isAllowed: true, certificate: null, denial: null, reason: null);

    private IssuanceDecision(bool isAllowed, OnDemandCertificate? certificate, TimeSpan? denial, string? reason)
        => (IsAllowed, Certificate, Denial, Reason) = (isAllowed, certificate, denial, reason);

    /// <summary>Whether the name may have a certificate.</summary>
    public bool IsAllowed { get; }

    /// <summary>The settings of its certificate, if it is allowed.</summary>
    /// <value><see langword="null"/>: those of <see cref="AcmeHttpsOptions"/>.</value>
    public OnDemandCertificate? Certificate { get; }

    /// <summary>How long nobody asks for the name again, if it is denied.</summary>
    /// <value><see langword="null"/> if it is not denied.</value>
    public TimeSpan? Denial { get; }

    /// <summary>Why it is not allowed, for the operator.</summary>
    /// <value><see langword="null"/> if there is no reason.</value>
    public string? Reason { get; }

    /// <summary>How long a denial counts that says nothing else: one minute.</summary>
    public static TimeSpan DefaultDenial { get; } = TimeSpan.FromMinutes(1);

    /// <summary>The name may have a certificate.</summary>
    /// <param name="certificate">Settings for its certificate; <see langword="null"/> for those of <see cref="AcmeHttpsOptions"/>.</param>
    public static IssuanceDecision Allow(OnDemandCertificate? certificate = null)
        => certificate is null ? Allowed : new(isAllowed: true, certificate, denial: null, reason: null);

    /// <summary>
    /// The name must not have a certificate. A stored one is no longer served, unless <see cref="OnDemandOptions.KeepServingDenied"/> is
    /// set.
    /// </summary>
    /// <param name="duration">
    /// How long nobody asks again: more than zero, at most a day. <see langword="null"/> for <see cref="DefaultDenial"/>.
    /// </param>
    /// <param name="reason">Why, for the operator.</param>
    public static IssuanceDecision Deny(TimeSpan? duration = null, string? reason = null)
    {
        var denial = duration ?? DefaultDenial;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(denial, TimeSpan.Zero, nameof(duration));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(denial, LongestDenial, nameof(duration));
        return new(isAllowed: false, certificate: null, denial, reason);
    }

    /// <summary>
    /// It is not known now whether the name may have a certificate, because the source does not respond. A stored certificate is served;
    /// nothing is ordered.
    /// </summary>
    /// <param name="reason">Why, for the operator.</param>
    public static IssuanceDecision Unknown(string? reason = null) => new(isAllowed: false, certificate: null, denial: null, reason);

    /// <summary>Returns the decision in a word.</summary>
    public override string ToString() => IsAllowed ? "allowed" : Denial is null ? "unknown" : "denied";
}
