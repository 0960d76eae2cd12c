namespace KestrelAcme.Configuration;

/// <summary>The kind of key that a certificate is issued for.</summary>
public enum KeyAlgorithm
{
    /// <summary>ECDSA on the curve P-256: small, fast, understood by every client of the last ten years. The default.</summary>
    EcdsaP256,

    /// <summary>ECDSA on the curve P-384.</summary>
    EcdsaP384,

    /// <summary>RSA with 2048 bits, for clients that know no ECDSA.</summary>
    Rsa2048,

    /// <summary>RSA with 3072 bits.</summary>
    Rsa3072,

    /// <summary>RSA with 4096 bits. Its handshakes are slow: think twice.</summary>
    Rsa4096,
}
