using System.Text.Json;
using System.Text.Json.Serialization;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Serialization;

namespace KestrelAcme.Protocol.Authorizations;

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
