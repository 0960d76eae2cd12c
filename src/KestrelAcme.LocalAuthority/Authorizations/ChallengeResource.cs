using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>A challenge as clients see it.</summary>
internal sealed record ChallengeResource
{
    public required string Type { get; init; }

    public required string Url { get; init; }

    public required string Status { get; init; }

    public required string Token { get; init; }

    public string? Validated { get; init; }

    public Problem? Error { get; init; }

    public static ChallengeResource Of(Authorization authorization, Challenge challenge, ResourceUrls urls) => new()
    {
        Type = challenge.Type,
        Url = urls.Challenge(authorization.Id, challenge.Id),
        Status = StatusName(challenge.Status),
        Token = challenge.Token,
        Validated = challenge.Validated is { } validated ? Timestamp.Format(validated) : null,
        Error = challenge.Error,
    };

    private static string StatusName(ChallengeStatus status) => status switch
    {
        ChallengeStatus.Processing => "processing",
        ChallengeStatus.Valid => "valid",
        ChallengeStatus.Invalid => "invalid",
        _ => "pending",
    };
}
