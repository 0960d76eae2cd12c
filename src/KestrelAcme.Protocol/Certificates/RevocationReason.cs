namespace KestrelAcme.Protocol.Certificates;

/// <summary>Why a certificate is revoked (RFC 5280 section 5.3.1); authorities accept some of these only.</summary>
public enum RevocationReason
{
    /// <summary>No reason is given.</summary>
    Unspecified = 0,

    /// <summary>The private key is or may be known to others.</summary>
    KeyCompromise = 1,

    /// <summary>The authority's key is known to others.</summary>
    CaCompromise = 2,

    /// <summary>The subject has changed.</summary>
    AffiliationChanged = 3,

    /// <summary>Another certificate took its place.</summary>
    Superseded = 4,

    /// <summary>It is no longer needed.</summary>
    CessationOfOperation = 5,

    /// <summary>Suspended for now.</summary>
    CertificateHold = 6,

    /// <summary>No longer suspended.</summary>
    RemoveFromCrl = 8,

    /// <summary>A privilege in it was withdrawn.</summary>
    PrivilegeWithdrawn = 9,

    /// <summary>The attribute authority's key is known to others.</summary>
    AaCompromise = 10,
}
