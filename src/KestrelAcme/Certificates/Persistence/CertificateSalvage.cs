using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>
/// Recovers a certificate from a stored value whose metadata is damaged. If a chain and a key belong together, the rest can be rebuilt.
/// Pure.
/// </summary>
internal static class CertificateSalvage
{
    private const int MaxChainLength = 10;
    private const int MaxKeys = 4;

    /// <returns>The certificate; <see langword="null"/> if no key belongs to a certificate, or if its chain is cut off.</returns>
    public static CertificateRecord? TryRead(ReadOnlySpan<byte> value, string reason)
    {
        var text = StoredText.Normalize(value);
        var blocks = PemDocumentReader.ReadAny(text);
        var keys = blocks.Where(b => b.Label == PemDocument.PrivateKeyLabel).Select(b => b.Content).Take(MaxKeys).ToList();
        var certificates = blocks.Where(b => b.Label == PemDocument.CertificateLabel).Select(b => b.Content).ToList();
        var lost = Count(text, "-----BEGIN CERTIFICATE-----"u8) - certificates.Count;
        var best = (from certificate in certificates
                    from key in keys
                    let chain = ChainOf(certificate, certificates)
                    where (lost == 0 || chain.Count > 1) && Fits(chain, key)
                    select (Chain: chain, Key: key))
            .OrderByDescending(pair => NotBefore(pair.Chain[0])).FirstOrDefault();
        return best.Chain is not null && TryRebuild(text, best.Chain[0]) is { } metadata
            ? new CertificateRecord(best.Chain, best.Key, metadata) { Repaired = reason }
            : null;
    }

    // A leaf that belongs to its key may still have dates or names that cannot be read.
    private static CertificateMetadata? TryRebuild(ReadOnlySpan<byte> text, ReadOnlyMemory<byte> leaf)
    {
        try
        {
            return Rebuild(text, leaf);
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    private static CertificateMetadata Rebuild(ReadOnlySpan<byte> text, ReadOnlyMemory<byte> leaf)
    {
        var shape = DerCertificate.Read(leaf.Span);
        return new CertificateMetadata
        {
            Names = SubjectNames.Read(shape),
            KeyAlgorithm = AlgorithmOf(shape),
            DirectoryUrl = SavedFields.Url(text, "directoryUrl") ?? CertificateMetadata.UnknownUrl,
            AccountUrl = SavedFields.Url(text, "accountUrl") ?? CertificateMetadata.UnknownUrl,
            OrderUrl = SavedFields.Url(text, "orderUrl")?.OriginalString,
            CertificateUrl = SavedFields.Url(text, "certificateUrl")?.OriginalString,
            ObtainedAt = shape.ReadValidity().NotBefore,

            // The same value each time, so that the time of the renewal does not move.
            Jitter = SHA256.HashData(leaf.Span)[0] / 256.0,
        };
    }

    private static List<ReadOnlyMemory<byte>> ChainOf(byte[] leaf, List<byte[]> certificates)
    {
        var chain = new List<ReadOnlyMemory<byte>> { leaf };
        while (chain.Count < MaxChainLength && certificates.Find(IsNext) is { } issuer)
        {
            chain.Add(issuer);
        }

        return chain;

        bool IsNext(byte[] next) => !chain.Any(c => c.Span.SequenceEqual(next)) && IsIssuedBy(chain[^1].Span, next);
    }

    private static bool IsIssuedBy(ReadOnlySpan<byte> certificate, ReadOnlySpan<byte> issuer)
    {
        try
        {
            return DerCertificate.Read(certificate).Issuer.SequenceEqual(DerCertificate.Read(issuer).Subject);
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private static bool Fits(List<ReadOnlyMemory<byte>> chain, byte[] key)
    {
        try
        {
            CertificateCheck.Check(new CertificateMaterial("", [], chain, key, default, default));
            return true;
        }
        catch (InvalidCertificateException)
        {
            return false;
        }
    }

    private static DateTimeOffset NotBefore(ReadOnlyMemory<byte> certificate)
    {
        try
        {
            return DerCertificate.Read(certificate.Span).ReadValidity().NotBefore;
        }
        catch (AsnContentException)
        {
            return default;
        }
    }

    /// <summary>Returns the type of key in a leaf, as it is stored in <see cref="CertificateMetadata.KeyAlgorithm"/>.</summary>
    public static string AlgorithmOf(DerCertificate leaf)
    {
        var key = DerPublicKey.OfCertificate(leaf.PublicKeyInfo);
        return (key.Kind switch
        {
            KeyKinds.EcdsaP384 => KeyAlgorithm.EcdsaP384,
            KeyKinds.Rsa => key.Value.Length switch
            {
                > 4096 / 8 => KeyAlgorithm.Rsa4096,
                > 3072 / 8 => KeyAlgorithm.Rsa3072,
                _ => KeyAlgorithm.Rsa2048,
            },
            _ => KeyAlgorithm.EcdsaP256,
        }).ToString();
    }

    private static int Count(ReadOnlySpan<byte> text, ReadOnlySpan<byte> part) => text.Count(part);
}

/// <summary>Finds single values in JSON that can no longer be parsed as a whole.</summary>
internal static class SavedFields
{
    private const int MaxUrlLength = 2048;

    /// <summary>Returns the HTTP or HTTPS URL of a property; <see langword="null"/> if it is lost.</summary>
    public static Uri? Url(ReadOnlySpan<byte> text, string property)
    {
        var at = text.IndexOf(Encoding.UTF8.GetBytes($"\"{property}\":\""));
        if (at < 0)
        {
            return null;
        }

        var rest = text[(at + property.Length + 4)..];
        var end = rest.IndexOf((byte)'"');
        return end is > 0 and <= MaxUrlLength
            && Uri.TryCreate(Encoding.UTF8.GetString(rest[..end]), UriKind.Absolute, out var url)
            && url.Scheme is "http" or "https" ? url : null;
    }
}
