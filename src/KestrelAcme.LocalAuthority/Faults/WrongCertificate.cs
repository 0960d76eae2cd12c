namespace KestrelAcme.LocalAuthority.Faults;

/// <summary>What is wrong with the next certificates on purpose.</summary>
public enum WrongCertificate
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It is for a key that the client does not have.</summary>
    OtherKey,

    /// <summary>It names <c>wrong.invalid</c>.</summary>
    OtherNames,

    /// <summary>It ended a day ago.</summary>
    Expired,

    /// <summary>The download holds the leaf only.</summary>
    ChainMissing,
}
