namespace KestrelAcme.Protocol.Accounts;

/// <summary>The status of an account (RFC 8555 section 7.1.6).</summary>
public enum AccountStatus
{
    /// <summary>A status that this library does not know.</summary>
    Unknown,

    /// <summary>Good.</summary>
    Valid,

    /// <summary>Given up by the client.</summary>
    Deactivated,

    /// <summary>Taken back by the server.</summary>
    Revoked,
}
