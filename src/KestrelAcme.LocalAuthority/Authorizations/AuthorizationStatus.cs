namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>RFC 8555 section 7.1.6. <see cref="Expired"/> is never stored: it follows from the time.</summary>
internal enum AuthorizationStatus
{
    Pending,
    Valid,
    Invalid,
    Deactivated,
    Expired,
}
