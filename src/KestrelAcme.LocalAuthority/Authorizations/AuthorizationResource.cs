using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>The JSON of an authorization (RFC 8555 section 7.1.4).</summary>
internal sealed record AuthorizationResource
{
    public required Identifier Identifier { get; init; }

    public required string Status { get; init; }

    public string? Expires { get; init; }

    public required IReadOnlyList<ChallengeResource> Challenges { get; init; }

    public bool? Wildcard { get; init; }

    public static AuthorizationResource Of(Authorization authorization, DateTimeOffset now, ResourceUrls urls, bool shuffle = false)
    {
        var challenges = authorization.Challenges.Select(c => ChallengeResource.Of(authorization, c, urls)).ToArray();
        if (shuffle)
        {
            Random.Shared.Shuffle(challenges);
        }

        return new AuthorizationResource
        {
            Identifier = authorization.Identifier,
            Status = StatusName(authorization.StatusAt(now)),
            Expires = Timestamp.Format(authorization.Expires),
            Challenges = challenges,
            Wildcard = authorization.Wildcard ? true : null,
        };
    }

    private static string StatusName(AuthorizationStatus status) => status switch
    {
        AuthorizationStatus.Valid => "valid",
        AuthorizationStatus.Invalid => "invalid",
        AuthorizationStatus.Deactivated => "deactivated",
        AuthorizationStatus.Expired => "expired",
        _ => "pending",
    };
}

/// <summary>The payload that deactivates an authorization (RFC 8555 section 7.5.2).</summary>
internal sealed record AuthorizationUpdatePayload
{
    public string? Status { get; init; }
}
