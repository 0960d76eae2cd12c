namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>RFC 8555 section 7.1.6.</summary>
internal enum ChallengeStatus
{
    Pending,
    Processing,
    Valid,
    Invalid,
}
