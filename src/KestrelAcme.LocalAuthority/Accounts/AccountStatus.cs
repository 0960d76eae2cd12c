namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>RFC 8555 section 7.1.6.</summary>
internal enum AccountStatus
{
    Valid,
    Deactivated,
    Revoked,
}
