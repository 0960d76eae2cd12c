namespace KestrelAcme.Protocol.Authorizations;

/// <summary>The payload that deactivates an authorization (RFC 8555 section 7.5.2).</summary>
internal sealed class AuthorizationUpdatePayload
{
    public required string Status { get; init; }
}
