using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>One way to fulfil an authorization, RFC 8555 section 8. Immutable.</summary>
internal sealed record Challenge(string Id, string Type, string Token)
{
    public ChallengeStatus Status { get; init; } = ChallengeStatus.Pending;

    public DateTimeOffset? Validated { get; init; }

    public Problem? Error { get; init; }
}
