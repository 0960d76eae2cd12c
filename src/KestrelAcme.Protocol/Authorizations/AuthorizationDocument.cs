using System.Text.Json;
using System.Text.Json.Serialization;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Serialization;

namespace KestrelAcme.Protocol.Authorizations;

/// <summary>An authorization as it is on the wire (RFC 8555 section 7.1.4).</summary>
internal sealed class AuthorizationDocument
{
    public string? Status { get; init; }

    [JsonConverter(typeof(OptionalTextConverter))]
    public string? Expires { get; init; }

    public IdentifierDocument? Identifier { get; init; }

    // Read one by one: a draft's challenge may look like anything, and must not spoil the others.
    public JsonElement Challenges { get; init; }

    public bool? Wildcard { get; init; }
}
