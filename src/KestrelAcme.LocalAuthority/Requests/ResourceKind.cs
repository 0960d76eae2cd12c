namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>The resources of RFC 8555 section 7.1 and RFC 9773, and the files that certificates refer to.</summary>
public enum ResourceKind
{
    /// <summary>Not a resource of the CA.</summary>
    Unknown,

    /// <summary>The directory (RFC 8555 section 7.1.1).</summary>
    Directory,

    /// <summary>A new nonce (section 7.2).</summary>
    NewNonce,

    /// <summary>Creating an account or finding it by key (section 7.3).</summary>
    NewAccount,

    /// <summary>An account: read, update, deactivate (section 7.3.2).</summary>
    Account,

    /// <summary>The list of an account's orders (section 7.1.2.1).</summary>
    OrdersList,

    /// <summary>Account key change (section 7.3.5).</summary>
    KeyChange,

    /// <summary>Order creation (section 7.4).</summary>
    NewOrder,

    /// <summary>An order (section 7.1.3).</summary>
    Order,

    /// <summary>The finalize URL of an order (section 7.4).</summary>
    Finalize,

    /// <summary>An authorization: read or deactivate (section 7.5).</summary>
    Authorization,

    /// <summary>A challenge: read or respond (section 7.5.1).</summary>
    Challenge,

    /// <summary>Certificate download (section 7.4.2).</summary>
    Certificate,

    /// <summary>Revocation (section 7.6).</summary>
    RevokeCertificate,

    /// <summary>Renewal information (RFC 9773).</summary>
    RenewalInformation,

    /// <summary>The certificate revocation list.</summary>
    RevocationList,

    /// <summary>The issuer's certificate (the AIA extension's URL).</summary>
    IssuerCertificate,
}
