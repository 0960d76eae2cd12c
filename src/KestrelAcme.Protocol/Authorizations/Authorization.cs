using System.Text.Json;
using System.Text.Json.Serialization;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Authorizations;

/// <summary>
/// An account's authorization to obtain certificates for one identifier (RFC 8555 section 7.1.4), as of the time it was
/// read.
/// </summary>
public sealed record Authorization
{
    private const int MaxChallenges = 64;

    /// <summary>The URL, which identifies the authorization.</summary>
    public required Uri Url { get; init; }

    /// <summary>The status.</summary>
    public AuthorizationStatus Status { get; init; }

    /// <summary>The name or address. For a wildcard, the name without <c>*.</c> (see <see cref="Wildcard"/>).</summary>
    public required AcmeIdentifier Identifier { get; init; }

    /// <summary>Whether the authorization is for the wildcard of <see cref="Identifier"/>.</summary>
    public bool Wildcard { get; init; }

    /// <summary>When the authorization expires. A pending authorization may expire long before its order.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The challenges in the server's order, including types unknown to this library.</summary>
    public IReadOnlyList<Challenge> Challenges { get; init; } = [];

    /// <summary>How long the server asks to wait before the next poll (Retry-After).</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Finds the challenge of a type.</summary>
    /// <param name="type">One of <see cref="AcmeChallengeTypes"/>, or another.</param>
    /// <returns><see langword="null"/> if it is not offered.</returns>
    public Challenge? FindChallenge(string type) => Challenges.FirstOrDefault(challenge => challenge.Type == type);

    internal static Authorization FromResponse(AcmeResponse response, Uri url)
    {
        var document = response.Read(AcmeJson.Default.AuthorizationDocument);
        return new Authorization
        {
            Url = url,
            Status = StatusOf(document.Status),
            Identifier = AcmeIdentifier.FromDocument(document.Identifier)
                ?? throw response.Malformed("the authorization has no identifier"),
            Wildcard = document.Wildcard ?? false,
            Expires = WireTime.Parse(document.Expires),
            Challenges = ChallengesOf(document.Challenges, response),
            RetryAfter = response.RetryAfter,
        };
    }

    private static Challenge[] ChallengesOf(JsonElement list, AcmeResponse response)
        => list.ValueKind != JsonValueKind.Array
            ? []
            : [.. list.EnumerateArray().Take(MaxChallenges).Select(challenge => ReadChallenge(challenge, response)).OfType<Challenge>()];

    private static Challenge? ReadChallenge(JsonElement challenge, AcmeResponse response)
    {
        try
        {
            return Challenge.FromDocument(challenge.Deserialize(AcmeJson.Default.ChallengeDocument), response);
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

/// <summary>The status of an authorization (RFC 8555 section 7.1.6).</summary>
public enum AuthorizationStatus
{
    /// <summary>A status unknown to this library.</summary>
    Unknown,

    /// <summary>A challenge has to be completed.</summary>
    Pending,

    /// <summary>Control of the identifier is proven.</summary>
    Valid,

    /// <summary>A challenge failed.</summary>
    Invalid,

    /// <summary>Deactivated by the client.</summary>
    Deactivated,

    /// <summary>Expired.</summary>
    Expired,

    /// <summary>Revoked by the server.</summary>
    Revoked,
}

/// <summary>The JSON of an authorization (RFC 8555 section 7.1.4).</summary>
internal sealed class AuthorizationDocument
{
    public string? Status { get; init; }

    [JsonConverter(typeof(OptionalTextConverter))]
    public string? Expires { get; init; }

    public IdentifierDocument? Identifier { get; init; }

    // Read one by one: the challenge of a draft may have any shape and must not make the others unreadable.
    public JsonElement Challenges { get; init; }

    public bool? Wildcard { get; init; }
}

/// <summary>The payload of newAuthz (RFC 8555 section 7.4.1).</summary>
internal sealed class NewAuthorizationPayload
{
    public required IdentifierDocument Identifier { get; init; }
}

/// <summary>The payload that deactivates an authorization (RFC 8555 section 7.5.2).</summary>
internal sealed class AuthorizationUpdatePayload
{
    public required string Status { get; init; }
}
