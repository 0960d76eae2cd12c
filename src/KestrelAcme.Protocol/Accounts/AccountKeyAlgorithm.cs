namespace KestrelAcme.Protocol.Accounts;

/// <summary>The algorithms of account keys (RFC 7518 section 3.1).</summary>
public enum AccountKeyAlgorithm
{
    /// <summary>ECDSA on P-256 with SHA-256.</summary>
    ES256,

    /// <summary>ECDSA on P-384 with SHA-384.</summary>
    ES384,

    /// <summary>RSA with SHA-256 (PKCS #1 v1.5); new keys have 3072 bits.</summary>
    RS256,
}
