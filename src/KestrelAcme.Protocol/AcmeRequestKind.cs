namespace KestrelAcme.Protocol;

/// <summary>The kinds of request that authorities limit apart from each other.</summary>
public enum AcmeRequestKind
{
    /// <summary>Everything that is not named below: accounts, orders, authorizations, challenges, certificates.</summary>
    Other,

    /// <summary>The directory.</summary>
    Directory,

    /// <summary>A nonce.</summary>
    NewNonce,

    /// <summary>A new account, or the search for one.</summary>
    NewAccount,

    /// <summary>A new order.</summary>
    NewOrder,

    /// <summary>A revocation.</summary>
    RevokeCertificate,

    /// <summary>Renewal information (RFC 9773).</summary>
    RenewalInfo,
}
