using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>Checks the signature of a revocation list. Pure.</summary>
internal static class RevocationListSignature
{
    public static bool IsValid(X509Certificate2 issuer, string algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        using var ecdsa = issuer.GetECDsaPublicKey();
        using var rsa = ecdsa is null ? issuer.GetRSAPublicKey() : null;
        return algorithm switch
        {
            "1.2.840.10045.4.3.2" => Verify(ecdsa, signed, signature, HashAlgorithmName.SHA256),
            "1.2.840.10045.4.3.3" => Verify(ecdsa, signed, signature, HashAlgorithmName.SHA384),
            "1.2.840.10045.4.3.4" => Verify(ecdsa, signed, signature, HashAlgorithmName.SHA512),
            "1.2.840.113549.1.1.11" => Verify(rsa, signed, signature, HashAlgorithmName.SHA256),
            "1.2.840.113549.1.1.12" => Verify(rsa, signed, signature, HashAlgorithmName.SHA384),
            "1.2.840.113549.1.1.13" => Verify(rsa, signed, signature, HashAlgorithmName.SHA512),
            _ => false,
        };
    }

    private static bool Verify(ECDsa? key, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature, HashAlgorithmName hash)
        => key?.VerifyData(signed, signature, hash, DSASignatureFormat.Rfc3279DerSequence) == true;

    private static bool Verify(RSA? key, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature, HashAlgorithmName hash)
        => key?.VerifyData(signed, signature, hash, RSASignaturePadding.Pkcs1) == true;
}
