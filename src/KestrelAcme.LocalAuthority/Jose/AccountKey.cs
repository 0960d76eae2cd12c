using System.Security.Cryptography;

namespace KestrelAcme.LocalAuthority.Jose;

/// <summary>An account's public key, known to be usable. Immutable; compared by its SubjectPublicKeyInfo.</summary>
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

    /// <summary>The only JWS algorithm that this key may sign with.</summary>
    public string Algorithm { get; }

    /// <summary>The thumbprint (RFC 7638), SHA-256 in base64url: the second part of a key authorization.</summary>
    public string Thumbprint { get; }

    /// <summary>The SHA-256 hash of the SubjectPublicKeyInfo in hexadecimal: identifies the key however it was encoded.</summary>
    public string Fingerprint { get; }

    public static string FingerprintOf(ReadOnlySpan<byte> publicKeyInfo) => Convert.ToHexString(SHA256.HashData(publicKeyInfo));

    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        // A new key object for each call, because ECDsa and RSA do not promise to be thread-safe.
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

/// <summary>The supported JWS algorithms (RFC 7518).</summary>
internal static class SignatureAlgorithms
{
    public const string ES256 = "ES256";
    public const string ES384 = "ES384";
    public const string RS256 = "RS256";
    public const string HS256 = "HS256";

    /// <summary>The algorithms listed in a <c>badSignatureAlgorithm</c> problem.</summary>
    public static IReadOnlyList<string> ForAccounts { get; } = [ES256, ES384, RS256];
}
