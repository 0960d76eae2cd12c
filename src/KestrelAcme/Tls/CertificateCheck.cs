using System.Formats.Asn1;
using System.Security.Cryptography;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Tls;

/// <summary>
/// Decides whether a certificate may be served: its private key must match, and each certificate of the chain must be issued by the next.
/// </summary>
internal static class CertificateCheck
{
    private const int MaxChainLength = 20;

    /// <summary>Checks a certificate and returns the kind of its key.</summary>
    /// <exception cref="InvalidCertificateException">The certificate must not be served; the message says why.</exception>
    public static KeyKinds Check(CertificateMaterial material)
    {
        if (material.Chain.Count is 0 or > MaxChainLength)
        {
            throw new InvalidCertificateException(
                $"The chain of {material.Id} has {material.Chain.Count} certificates; 1 to {MaxChainLength} are allowed.");
        }

        try
        {
            CheckOrder(material);
            return CheckKey(material);
        }
        catch (Exception exception)
            when (exception is AsnContentException or CryptographicException or ArgumentException or PlatformNotSupportedException)
        {
            throw new InvalidCertificateException(
                $"The certificate or the private key of {material.Id} cannot be read: {exception.Message}", exception);
        }
    }

    private static void CheckOrder(CertificateMaterial material)
    {
        for (var i = 0; i + 1 < material.Chain.Count; i++)
        {
            var issuer = DerCertificate.Read(material.Chain[i + 1].Span).Subject;
            if (!DerCertificate.IsSameName(DerCertificate.Read(material.Chain[i].Span).Issuer, issuer))
            {
                throw new InvalidCertificateException(
                    $"The chain of {material.Id} is out of order: certificate {i + 1} was not issued by the certificate after it.");
            }
        }
    }

    private static KeyKinds CheckKey(CertificateMaterial material)
    {
        var leaf = DerCertificate.Read(material.Chain[0].Span).PublicKeyInfo;
        var expected = DerPublicKey.OfCertificate(leaf);
        var actual = DerPublicKey.OfPrivateKey(material.PrivateKey.Span);
        if (expected.Kind == KeyKinds.None)
        {
            throw new InvalidCertificateException($"The key of {material.Id} is neither ECDSA on P-256 or P-384 nor RSA.");
        }

        var matches = expected.Kind == actual.Kind
            && (actual.Value.IsEmpty ? DerivedKeyMatches(material, leaf) : expected.Value.SequenceEqual(actual.Value));
        return matches
            ? expected.Kind
            : throw new InvalidCertificateException($"The private key of {material.Id} does not belong to its certificate.");
    }

    // Some tools omit the public point from an ECDSA private key. It is computed then.
    private static bool DerivedKeyMatches(CertificateMaterial material, ReadOnlySpan<byte> publicKeyInfo)
    {
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(material.PrivateKey.Span, out _);
        return publicKeyInfo.SequenceEqual(key.ExportSubjectPublicKeyInfo());
    }
}

/// <summary>
/// Thrown for a certificate that must not be served: its key does not match, its chain is out of order, or its bytes cannot be read.
/// </summary>
internal sealed class InvalidCertificateException(string message, Exception? innerException = null)
    : Exception(QuotedText.Of(message), innerException);
