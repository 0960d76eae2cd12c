using System.Security.Cryptography;

namespace KestrelAcme.LocalAuthority.Jose;

/// <summary>A verified-to-be-usable public key of an account: immutable, compared by its SubjectPublicKeyInfo.</summary>
internal sealed class AccountKey
{
    private readonly byte[] _publicKeyInfo;

    public AccountKey(string algorithm, byte[] publicKeyInfo, string thumbprint)
    {
        Algorithm = algorithm;
        _publicKeyInfo = publicKeyInfo;
        Thumbprint = thumbprint;
        Fingerprint = FingerprintOf(publicKeyInfo);
    }

    /// <summary>The one JWS algorithm that this key may sign with.</summary>
    public string Algorithm { get; }

    /// <summary>RFC 7638, base64url of SHA-256: the second half of a key authorization.</summary>
    public string Thumbprint { get; }

    /// <summary>Hex of SHA-256 over the SubjectPublicKeyInfo: tells keys apart however they were written.</summary>
    public string Fingerprint { get; }

    public static string FingerprintOf(ReadOnlySpan<byte> publicKeyInfo) => Convert.ToHexString(SHA256.HashData(publicKeyInfo));

    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        // A key object per call: instances of ECDsa and RSA are not promised to be thread-safe.
        if (Algorithm == SignatureAlgorithms.RS256)
        {
            using var rsa = RSA.Create();
            rsa.ImportSubjectPublicKeyInfo(_publicKeyInfo, out _);
            return rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }

        var hash = Algorithm == SignatureAlgorithms.ES384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(_publicKeyInfo, out _);
        return ecdsa.VerifyData(data, signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}
