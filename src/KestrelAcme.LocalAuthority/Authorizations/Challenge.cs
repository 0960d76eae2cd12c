using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>One way to fulfil an authorization, RFC 8555 section 8. Immutable.</summary>
internal sealed record Challenge(string Id, string Type, string Token)
{
    public ChallengeStatus Status { get; init; } = ChallengeStatus.Pending;

    public DateTimeOffset? Validated { get; init; }

    public Problem? Error { get; init; }

    /// <summary>The names by which a record of dns-persist-01 may know the authority; null for all other types.</summary>
    public IReadOnlyList<string>? IssuerDomainNames { get; init; }

    /// <summary>What the account URI in a record of dns-persist-01 begins with; null in draft -01.</summary>
    public string? AccountHashPrefix { get; init; }
}
