using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Tls;

/// <summary>The parts of a certificate that are checked before it is served, parsed from DER without the operating system.</summary>
/// <remarks>Thousands of stored certificates are checked at startup. Parsing them as <c>X509Certificate2</c> would take seconds.</remarks>
internal readonly ref struct DerCertificate
{
    private DerCertificate(
        ReadOnlySpan<byte> serialNumber,
        ReadOnlySpan<byte> issuer,
        ReadOnlySpan<byte> validity,
        ReadOnlySpan<byte> subject,
        ReadOnlySpan<byte> publicKeyInfo,
        ReadOnlySpan<byte> extensions)
    {
        SerialNumber = serialNumber;
        Issuer = issuer;
        Validity = validity;
        Subject = subject;
        PublicKeyInfo = publicKeyInfo;
        Extensions = extensions;
    }

    /// <summary>The content of the serial number's INTEGER.</summary>
    public ReadOnlySpan<byte> SerialNumber { get; }

    /// <summary>The encoded name of the issuer.</summary>
    public ReadOnlySpan<byte> Issuer { get; }

    /// <summary>The encoded Validity.</summary>
    public ReadOnlySpan<byte> Validity { get; }

    /// <summary>The encoded name of the subject.</summary>
    public ReadOnlySpan<byte> Subject { get; }

    /// <summary>The encoded SubjectPublicKeyInfo.</summary>
    public ReadOnlySpan<byte> PublicKeyInfo { get; }

    /// <summary>The encoded Extensions; empty if there are none.</summary>
    public ReadOnlySpan<byte> Extensions { get; }

    /// <summary>Reads a certificate (RFC 5280 section 4.1).</summary>
    /// <exception cref="AsnContentException">The bytes are not a certificate.</exception>
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
            // This was the version. The serial number follows.
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
    /// Whether two encoded names are equal, even if a CA writes its own name with another string type or case than in the certificates it
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
            return string.Equals(
                new X500DistinguishedName(one).Name, new X500DistinguishedName(other).Name, StringComparison.OrdinalIgnoreCase);
        }
        catch (CryptographicException)
        {
            // An unreadable name does not equal any other.
            return false;
        }
    }

    /// <summary>Reads the validity period (RFC 5280 section 4.1.2.5).</summary>
    /// <exception cref="AsnContentException">The times cannot be read.</exception>
    public (DateTimeOffset NotBefore, DateTimeOffset NotAfter) ReadValidity()
    {
        var times = DerFields.Enter(Validity);
        return (ReadTime(times.Next(out var first), first), ReadTime(times.Next(out var second), second));
    }

    /// <summary>Returns the content of an extension, itself DER; empty if the certificate does not have the extension.</summary>
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

    // Two unique identifiers, which are not used in practice, may precede the extensions.
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
        => tag == Asn1Tag.UtcTime
            ? AsnDecoder.ReadUtcTime(encoded, AsnEncodingRules.DER, out _)
            : AsnDecoder.ReadGeneralizedTime(encoded, AsnEncodingRules.DER, out _);
}

/// <summary>Enumerates the elements of a DER sequence.</summary>
internal ref struct DerFields
{
    private ReadOnlySpan<byte> _rest;

    private DerFields(ReadOnlySpan<byte> content) => _rest = content;

    public readonly bool IsEmpty => _rest.IsEmpty;

    /// <summary>Enumerates the children of an encoded element.</summary>
    public static DerFields Enter(ReadOnlySpan<byte> element) => new(Content(element, out _, out _));

    /// <summary>Returns the content of an encoded element.</summary>
    public static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> element) => Content(element, out _, out _);

    /// <summary>Returns the next element, including its header.</summary>
    /// <exception cref="AsnContentException">There is no further element, or its encoding is invalid.</exception>
    public ReadOnlySpan<byte> Next(out Asn1Tag tag)
    {
        Content(_rest, out tag, out var consumed);
        var element = _rest[..consumed];
        _rest = _rest[consumed..];
        return element;
    }

    private static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> element, out Asn1Tag tag, out int consumed)
    {
        tag = AsnDecoder.ReadEncodedValue(element, AsnEncodingRules.DER, out var offset, out var length, out consumed);
        return element.Slice(offset, length);
    }
}
