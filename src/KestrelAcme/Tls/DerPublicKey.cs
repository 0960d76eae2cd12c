using System.Formats.Asn1;

namespace KestrelAcme.Tls;

/// <summary>The public part of an encoded certificate or private key, for comparison.</summary>
internal readonly ref struct DerPublicKey(KeyKinds kind, ReadOnlySpan<byte> value)
{
    private const string EcPublicKey = "1.2.840.10045.2.1";
    private const string P256 = "1.2.840.10045.3.1.7";
    private const string P384 = "1.3.132.0.34";
    private const string RsaEncryption = "1.2.840.113549.1.1.1";

    /// <summary>The kind of the key; <see cref="KeyKinds.None"/> if it is not supported.</summary>
    public KeyKinds Kind { get; } = kind;

    /// <summary>The point of an ECDSA key or the modulus of an RSA key; empty if the encoding omits it.</summary>
    public ReadOnlySpan<byte> Value { get; } = value;

    /// <summary>Reads a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).</summary>
    public static DerPublicKey OfCertificate(ReadOnlySpan<byte> publicKeyInfo)
    {
        var fields = DerFields.Enter(publicKeyInfo);
        var kind = ReadKind(fields.Next(out _));
        // The first content byte of a BIT STRING is the number of unused bits: always 0 in a key.
        var bits = DerFields.Content(fields.Next(out _))[1..];
        return new DerPublicKey(kind, kind == KeyKinds.Rsa ? DerFields.Enter(bits).Next(out _) : bits);
    }

    /// <summary>
    /// Reads a PKCS #8 private key (RFC 5958): the modulus of an RSA key, or the optional public point of an ECPrivateKey (RFC 5915).
    /// </summary>
    public static DerPublicKey OfPrivateKey(ReadOnlySpan<byte> pkcs8)
    {
        var fields = DerFields.Enter(pkcs8);
        _ = fields.Next(out _);
        var kind = ReadKind(fields.Next(out _));
        var key = DerFields.Enter(DerFields.Content(fields.Next(out _)));
        _ = key.Next(out _);
        if (kind == KeyKinds.Rsa)
        {
            return new DerPublicKey(kind, key.Next(out _));
        }

        while (!key.IsEmpty)
        {
            var element = key.Next(out var tag);
            if (tag == new Asn1Tag(TagClass.ContextSpecific, 1, isConstructed: true))
            {
                return new DerPublicKey(kind, DerFields.Content(DerFields.Content(element))[1..]);
            }
        }

        return new DerPublicKey(kind, default);
    }

    private static KeyKinds ReadKind(ReadOnlySpan<byte> algorithm)
    {
        var fields = DerFields.Enter(algorithm);
        var type = AsnDecoder.ReadObjectIdentifier(fields.Next(out _), AsnEncodingRules.DER, out _);
        if (type == RsaEncryption)
        {
            return KeyKinds.Rsa;
        }

        if (type != EcPublicKey || fields.IsEmpty)
        {
            return KeyKinds.None;
        }

        return AsnDecoder.ReadObjectIdentifier(fields.Next(out _), AsnEncodingRules.DER, out _) switch
        {
            P256 => KeyKinds.EcdsaP256,
            P384 => KeyKinds.EcdsaP384,
            _ => KeyKinds.None,
        };
    }
}

/// <summary>Kinds of certificate keys: the kind of one certificate, or all kinds that a client accepts.</summary>
[Flags]
internal enum KeyKinds : byte
{
    /// <summary>No supported kind.</summary>
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
