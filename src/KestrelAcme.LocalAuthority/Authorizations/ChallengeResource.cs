using System.Text.Json.Serialization;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>The JSON of a challenge (RFC 8555 section 7.1.5).</summary>
internal sealed record ChallengeResource
{
    public required string Type { get; init; }

    public required string Url { get; init; }

    public required string Status { get; init; }

    /// <summary>Null for dns-persist-01, which has no token.</summary>
    public string? Token { get; init; }

    /// <summary>The member's name in draft-ietf-acme-dns-persist-01.</summary>
    [JsonPropertyName("issuer-domain-names")]
    public IReadOnlyList<string>? IssuerDomainNamesOfDraft01 { get; init; }

    /// <summary>The member's name since draft-ietf-acme-dns-persist-02.</summary>
    public IReadOnlyList<string>? IssuerDomainNames { get; init; }

    public string? Validated { get; init; }

    public Problem? Error { get; init; }

    public static ChallengeResource Of(Authorization authorization, Challenge challenge, ResourceUrls urls) => new()
    {
        Type = challenge.Type,
        Url = urls.Challenge(authorization.Id, challenge.Id),
        Status = StatusName(challenge.Status),
        Token = challenge.Type == ChallengeTypes.DnsPersist01 ? null : challenge.Token,
        IssuerDomainNamesOfDraft01 = challenge.AccountHashPrefix is null ? challenge.IssuerDomainNames : null,
        IssuerDomainNames = challenge.AccountHashPrefix is null ? null : challenge.IssuerDomainNames,
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
