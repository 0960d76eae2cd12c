namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>Who must have signed a request (RFC 8555 section 6.2).</summary>
internal enum RequestSigner
{
    /// <summary>Nobody: a plain GET.</summary>
    None,

    /// <summary>A key that comes along in <c>jwk</c>.</summary>
    Key,

    /// <summary>An account, named by <c>kid</c>.</summary>
    Account,

    /// <summary>Either of both: revocation.</summary>
    KeyOrAccount,
}
