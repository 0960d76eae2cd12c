namespace KestrelAcme.Configuration;

/// <summary>The type of key in a certificate.</summary>
public enum KeyAlgorithm
{
    /// <summary>ECDSA with the curve P-256: small, fast, and supported by every client of the last ten years. The default.</summary>
    EcdsaP256,

    /// <summary>ECDSA with the curve P-384.</summary>
    EcdsaP384,

    /// <summary>RSA with 2048 bits, for clients without ECDSA.</summary>
    Rsa2048,

    /// <summary>RSA with 3072 bits.</summary>
    Rsa3072,

    /// <summary>RSA with 4096 bits. Handshakes are slow.</summary>
    Rsa4096,
}
