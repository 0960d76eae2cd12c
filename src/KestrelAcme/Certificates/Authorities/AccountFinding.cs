namespace KestrelAcme.Certificates.Authorities;

/// <summary>What looking the account up by its key has shown.</summary>
internal enum AccountFinding
{
    /// <summary>The authority is in trouble, or asks to wait.</summary>
    Unknown,

    /// <summary>The account is there, or the authority says nothing against it.</summary>
    Valid,

    /// <summary>The key has no account: the authority lost its data, or the key was changed since.</summary>
    Lost,

    /// <summary>The key is revoked, or refused: it must not be used again.</summary>
    KeyRevoked,

    /// <summary>The account is deactivated, or refused for another reason.</summary>
    Refused,
}
