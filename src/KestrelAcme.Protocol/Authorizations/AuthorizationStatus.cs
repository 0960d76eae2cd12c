namespace KestrelAcme.Protocol.Authorizations;

/// <summary>The status of an authorization (RFC 8555 section 7.1.6).</summary>
public enum AuthorizationStatus
{
    /// <summary>A status that this library does not know.</summary>
    Unknown,

    /// <summary>Waits for a challenge to be met.</summary>
    Pending,

    /// <summary>Control is proven.</summary>
    Valid,

    /// <summary>A challenge failed.</summary>
    Invalid,

    /// <summary>Given up by the client.</summary>
    Deactivated,

    /// <summary>Too old.</summary>
    Expired,

    /// <summary>Taken back by the server.</summary>
    Revoked,
}
