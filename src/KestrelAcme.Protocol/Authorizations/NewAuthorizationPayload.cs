using KestrelAcme.Protocol.Identifiers;

namespace KestrelAcme.Protocol.Authorizations;

/// <summary>The payload of newAuthz (RFC 8555 section 7.4.1).</summary>
internal sealed class NewAuthorizationPayload
{
    public required IdentifierDocument Identifier { get; init; }
}
