namespace KestrelAcme.Tls;

/// <summary>Kinds of certificate keys: the one that a certificate has, or those that a client accepts.</summary>
[Flags]
internal enum KeyKinds : byte
{
    /// <summary>None that we know.</summary>
    None = 0,

    /// <summary>ECDSA on P-256.</summary>
    EcdsaP256 = 1,

    /// <summary>ECDSA on P-384.</summary>
    EcdsaP384 = 2,

    /// <summary>RSA of any size.</summary>
    Rsa = 4,

    /// <summary>Either curve.</summary>
    Ecdsa = EcdsaP256 | EcdsaP384,
}
