using System.Formats.Asn1;

namespace KestrelAcme.Tls;

/// <summary>The parts of a certificate that are compared before it is served, read from DER without the operating system's help.</summary>
/// <remarks>Ten thousand stored certificates are checked at start: parsing them as <c>X509Certificate2</c> would take seconds.</remarks>
internal readonly ref struct CertificateShape
{
    private CertificateShape(ReadOnlySpan<byte> issuer, ReadOnlySpan<byte> subject, ReadOnlySpan<byte> publicKeyInfo)
    {
        Issuer = issuer;
        Subject = subject;
        PublicKeyInfo = publicKeyInfo;
    }

    /// <summary>The issuer's name, encoded.</summary>
    public ReadOnlySpan<byte> Issuer { get; }

    /// <summary>The subject's name, encoded.</summary>
    public ReadOnlySpan<byte> Subject { get; }

    /// <summary>The SubjectPublicKeyInfo, encoded.</summary>
    public ReadOnlySpan<byte> PublicKeyInfo { get; }

    /// <summary>Reads a certificate (RFC 5280 section 4.1).</summary>
    /// <exception cref="AsnContentException">The bytes are no certificate.</exception>
    public static CertificateShape Read(ReadOnlySpan<byte> der)
    {
        var fields = DerFields.Enter(DerFields.Enter(der).Next(out _));
        _ = fields.Next(out var tag);
        if (tag == new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true))
        {
            // That was the version; the serial number follows.
            _ = fields.Next(out _);
        }

        _ = fields.Next(out _);
        var issuer = fields.Next(out _);
        _ = fields.Next(out _);
        var subject = fields.Next(out _);
        return new CertificateShape(issuer, subject, fields.Next(out _));
    }
}
