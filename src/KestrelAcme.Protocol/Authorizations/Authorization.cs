using System.Text.Json;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Authorizations;

/// <summary>An account's right to certificates for one identifier (RFC 8555 section 7.1.4), as it was when it was read.</summary>
public sealed record Authorization
{
    private const int MaxChallenges = 64;

    /// <summary>The URL; the identity of the authorization.</summary>
    public required Uri Url { get; init; }

    /// <summary>The status.</summary>
    public AuthorizationStatus Status { get; init; }

    /// <summary>The name or address; for a wildcard the name without <c>*.</c> (see <see cref="Wildcard"/>).</summary>
    public required AcmeIdentifier Identifier { get; init; }

    /// <summary>Whether it is for the names one label below <see cref="Identifier"/>.</summary>
    public bool Wildcard { get; init; }

    /// <summary>When it ends. A pending one may end long before its order.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The challenges, in the server's order, of known types and others.</summary>
    public IReadOnlyList<Challenge> Challenges { get; init; } = [];

    /// <summary>How long the server asks to wait before the next look.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The challenge of a type.</summary>
    /// <param name="type">One of <see cref="AcmeChallengeTypes"/>, or another.</param>
    /// <returns><see langword="null"/> where it is not offered.</returns>
    public Challenge? FindChallenge(string type) => Challenges.FirstOrDefault(challenge => challenge.Type == type);

    internal static Authorization FromResponse(AcmeResponse answer, Uri url)
    {
        var document = answer.Read(AcmeJson.Default.AuthorizationDocument);
        return new Authorization
        {
            Url = url,
            Status = StatusOf(document.Status),
            Identifier = AcmeIdentifier.FromDocument(document.Identifier) ?? throw answer.Malformed("the authorization has no identifier"),
            Wildcard = document.Wildcard ?? false,
            Expires = WireTime.Parse(document.Expires),
            Challenges = ChallengesOf(document.Challenges, answer),
            RetryAfter = answer.RetryAfter,
        };
    }

    private static Challenge[] ChallengesOf(JsonElement list, AcmeResponse answer)
        => list.ValueKind != JsonValueKind.Array
            ? []
            : [.. list.EnumerateArray().Take(MaxChallenges).Select(challenge => ReadChallenge(challenge, answer)).OfType<Challenge>()];

    private static Challenge? ReadChallenge(JsonElement challenge, AcmeResponse answer)
    {
        try
        {
            return Challenge.FromDocument(challenge.Deserialize(AcmeJson.Default.ChallengeDocument), answer);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static AuthorizationStatus StatusOf(string? status) => status switch
    {
        "pending" => AuthorizationStatus.Pending,
        "valid" => AuthorizationStatus.Valid,
        "invalid" => AuthorizationStatus.Invalid,
        "deactivated" => AuthorizationStatus.Deactivated,
        "expired" => AuthorizationStatus.Expired,
        "revoked" => AuthorizationStatus.Revoked,
        _ => AuthorizationStatus.Unknown,
    };
}
