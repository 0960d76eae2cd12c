using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Tls;

/// <summary>The parts of a certificate that are looked at before it is served, read from DER without the operating system's help.</summary>
/// <remarks>Ten thousand stored certificates are checked at start: parsing them as <c>X509Certificate2</c> would take seconds.</remarks>
internal readonly ref struct DerCertificate
{
    private DerCertificate(ReadOnlySpan<byte> serialNumber, ReadOnlySpan<byte> issuer, ReadOnlySpan<byte> validity, ReadOnlySpan<byte> subject, ReadOnlySpan<byte> publicKeyInfo, ReadOnlySpan<byte> extensions)
    {
        SerialNumber = serialNumber;
        Issuer = issuer;
        Validity = validity;
        Subject = subject;
        PublicKeyInfo = publicKeyInfo;
        Extensions = extensions;
    }

    /// <summary>The serial number: the content of the INTEGER.</summary>
    public ReadOnlySpan<byte> SerialNumber { get; }

    /// <summary>The issuer's name, encoded.</summary>
    public ReadOnlySpan<byte> Issuer { get; }

    /// <summary>The Validity, encoded.</summary>
    public ReadOnlySpan<byte> Validity { get; }

    /// <summary>The subject's name, encoded.</summary>
    public ReadOnlySpan<byte> Subject { get; }

    /// <summary>The SubjectPublicKeyInfo, encoded.</summary>
    public ReadOnlySpan<byte> PublicKeyInfo { get; }

    /// <summary>The Extensions, encoded; empty when there are none.</summary>
    public ReadOnlySpan<byte> Extensions { get; }

    /// <summary>Reads a certificate (RFC 5280 section 4.1).</summary>
    /// <exception cref="AsnContentException">The bytes are no certificate.</exception>
    public static DerCertificate Read(ReadOnlySpan<byte> der)
    {
        var certificate = DerFields.Enter(der);
        var fields = DerFields.Enter(certificate.Next(out _));
        _ = certificate.Next(out _);
        _ = certificate.Next(out var last);
        if (last != Asn1Tag.PrimitiveBitString || !certificate.IsEmpty)
        {
            throw new AsnContentException("it does not end with a signature");
        }

        var serialNumber = fields.Next(out var tag);
        if (tag == new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true))
        {
            // That was the version; the serial number follows.
            serialNumber = fields.Next(out _);
        }

        _ = fields.Next(out _);
        var issuer = fields.Next(out _);
        var validity = fields.Next(out _);
        var subject = fields.Next(out _);
        var publicKeyInfo = fields.Next(out _);
        return new DerCertificate(DerFields.Content(serialNumber), issuer, validity, subject, publicKeyInfo, ReadExtensions(fields));
    }

    /// <summary>
    /// Whether two encoded names are the same, also if an authority writes its own name in another type of string or case than in what it
    /// issues (RFC 5280 section 7.1).
    /// </summary>
    public static bool IsSameName(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        if (one.SequenceEqual(other))
        {
            return true;
        }

        try
        {
            return string.Equals(new X500DistinguishedName(one).Name, new X500DistinguishedName(other).Name, StringComparison.OrdinalIgnoreCase);
        }
        catch (CryptographicException)
        {
            // What cannot be read is no other name.
            return false;
        }
    }

    /// <summary>When the certificate begins and ends to be valid (RFC 5280 section 4.1.2.5).</summary>
    /// <exception cref="AsnContentException">The times cannot be read.</exception>
    public (DateTimeOffset NotBefore, DateTimeOffset NotAfter) ReadValidity()
    {
        var times = DerFields.Enter(Validity);
        return (ReadTime(times.Next(out var first), first), ReadTime(times.Next(out var second), second));
    }

    /// <summary>The content of an extension, which is encoded itself; empty when the certificate does not have it.</summary>
    /// <param name="oid">The content of the extension's object identifier.</param>
    /// <exception cref="AsnContentException">The extensions cannot be read.</exception>
    public ReadOnlySpan<byte> FindExtension(ReadOnlySpan<byte> oid)
    {
        if (Extensions.IsEmpty)
        {
            return default;
        }

        var extensions = DerFields.Enter(Extensions);
        while (!extensions.IsEmpty)
        {
            var extension = DerFields.Enter(extensions.Next(out _));
            if (DerFields.Content(extension.Next(out _)).SequenceEqual(oid))
            {
                var value = extension.Next(out var tag);
                return DerFields.Content(tag == Asn1Tag.Boolean ? extension.Next(out _) : value);
            }
        }

        return default;
    }

    // Two unique identifiers, which nobody uses, may stand before them.
    private static ReadOnlySpan<byte> ReadExtensions(DerFields fields)
    {
        while (!fields.IsEmpty)
        {
            var field = fields.Next(out var tag);
            if (tag == new Asn1Tag(TagClass.ContextSpecific, 3, isConstructed: true))
            {
                return DerFields.Enter(field).Next(out _);
            }
        }

        return default;
    }

    private static DateTimeOffset ReadTime(ReadOnlySpan<byte> encoded, Asn1Tag tag)
        => tag == Asn1Tag.UtcTime ? AsnDecoder.ReadUtcTime(encoded, AsnEncodingRules.DER, out _) : AsnDecoder.ReadGeneralizedTime(encoded, AsnEncodingRules.DER, out _);
}
