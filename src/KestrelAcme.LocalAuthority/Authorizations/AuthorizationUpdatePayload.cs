namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>RFC 8555 section 7.5.2.</summary>
internal sealed record AuthorizationUpdatePayload
{
    public string? Status { get; init; }
}
