namespace KestrelAcme.Protocol.Certificates;

/// <summary>Why a certificate is revoked (RFC 5280 section 5.3.1). CAs accept only some of these.</summary>
public enum RevocationReason
{
    /// <summary>No reason.</summary>
    Unspecified = 0,

    /// <summary>The private key is, or may be, compromised.</summary>
    KeyCompromise = 1,

    /// <summary>The CA's key is compromised.</summary>
    CaCompromise = 2,

    /// <summary>The subject has changed.</summary>
    AffiliationChanged = 3,

    /// <summary>Another certificate has replaced it.</summary>
    Superseded = 4,

    /// <summary>The certificate is no longer needed.</summary>
    CessationOfOperation = 5,

    /// <summary>The certificate is suspended.</summary>
    CertificateHold = 6,

    /// <summary>The certificate is no longer suspended.</summary>
    RemoveFromCrl = 8,

    /// <summary>A privilege in the certificate was withdrawn.</summary>
    PrivilegeWithdrawn = 9,

    /// <summary>The attribute authority's key is compromised.</summary>
    AaCompromise = 10,
}

/// <summary>The payload of revokeCert (RFC 8555 section 7.6).</summary>
internal sealed class RevocationPayload
{
    public required string Certificate { get; init; }

    public int? Reason { get; init; }
}
