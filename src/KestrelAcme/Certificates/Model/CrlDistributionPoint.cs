using System.Formats.Asn1;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Model;

/// <summary>Reads the URL of the revocation list from a certificate (RFC 5280 section 4.2.1.13). Pure.</summary>
internal static class CrlDistributionPoint
{
    private static ReadOnlySpan<byte> Oid => [0x55, 0x1D, 0x1F];

    private static readonly Asn1Tag DistributionPointName = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag FullName = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag UniformResourceIdentifier = new(TagClass.ContextSpecific, 6);

    /// <returns>The first HTTP or HTTPS URL; <see langword="null"/> if there is none, or if the extension cannot be read.</returns>
    public static Uri? Find(in DerCertificate certificate)
    {
        try
        {
            var extension = certificate.FindExtension(Oid);
            if (extension.IsEmpty)
            {
                return null;
            }

            var points = new AsnReader(extension.ToArray(), AsnEncodingRules.DER).ReadSequence();
            while (points.HasData)
            {
                var point = points.ReadSequence();
                if (point.HasData && point.PeekTag().HasSameClassAndValue(DistributionPointName)
                    && FindInName(point.ReadSequence(DistributionPointName)) is { } url)
                {
                    return url;
                }
            }
        }
        catch (AsnContentException)
        {
            // A damaged extension has no URL.
        }

        return null;
    }

    /// <summary>Reads the HTTP and HTTPS URLs of the fullName of a DistributionPointName.</summary>
    public static IEnumerable<Uri> ReadFullName(AsnReader name)
    {
        if (!name.HasData || !name.PeekTag().HasSameClassAndValue(FullName))
        {
            yield break;
        }

        var general = name.ReadSequence(FullName);
        while (general.HasData)
        {
            if (general.PeekTag().HasSameClassAndValue(UniformResourceIdentifier))
            {
                var text = general.ReadCharacterString(UniversalTagNumber.IA5String, UniformResourceIdentifier);
                if (Uri.TryCreate(text, UriKind.Absolute, out var url)
                    && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps))
                {
                    yield return url;
                }
            }
            else
            {
                general.ReadEncodedValue();
            }
        }
    }

    private static Uri? FindInName(AsnReader name) => ReadFullName(name).FirstOrDefault();
}
