using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>Checks the signature of a revocation list. Pure.</summary>
internal static class RevocationListSignature
{
    /// <summary>What is hashed by a signature algorithm; <see langword="null"/> for one that is not known.</summary>
    public static HashAlgorithmName? HashOf(string algorithm) => algorithm switch
    {
        "1.2.840.10045.4.3.2" or "1.2.840.113549.1.1.11" => HashAlgorithmName.SHA256,
        "1.2.840.10045.4.3.3" or "1.2.840.113549.1.1.12" => HashAlgorithmName.SHA384,
        "1.2.840.10045.4.3.4" or "1.2.840.113549.1.1.13" => HashAlgorithmName.SHA512,
        _ => null,
    };

    /// <exception cref="CryptographicException">The key of the issuer is of no use.</exception>
    public static bool IsValid(X509Certificate2 issuer, string algorithm, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
    {
        if (algorithm.StartsWith("1.2.840.10045.", StringComparison.Ordinal))
        {
            using var ecdsa = issuer.GetECDsaPublicKey();
            return ecdsa?.VerifyHash(hash, signature, DSASignatureFormat.Rfc3279DerSequence) == true;
        }

        using var rsa = issuer.GetRSAPublicKey();
        return HashOf(algorithm) is { } name && rsa?.VerifyHash(hash, signature, name, RSASignaturePadding.Pkcs1) == true;
    }
}
