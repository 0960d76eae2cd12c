using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Protocol.RenewalInformation;

/// <summary>
/// Identifies a certificate in renewal information (RFC 9773 section 4.1), by its authority key identifier and serial
/// number.
/// </summary>
public sealed record RenewalCertificateId
{
    private const string AuthorityKeyIdentifier = "2.5.29.35";

    private RenewalCertificateId(string value)
    {
        Value = value;
    }

    /// <summary>The identifier: two base64url parts, separated by a dot.</summary>
    public string Value { get; }

    /// <summary>Creates the identifier of a certificate.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <exception cref="ArgumentException">
    /// It has no authority key identifier; see <see cref="TryCreate(X509Certificate2, out RenewalCertificateId)"/>.
    /// </exception>
    public static RenewalCertificateId Create(X509Certificate2 certificate) => TryCreate(certificate, out var id)
        ? id
        : throw new ArgumentException("The certificate has no authority key identifier.", nameof(certificate));

    /// <summary>Creates the identifier of a certificate.</summary>
    /// <param name="der">The certificate in DER.</param>
    /// <exception cref="ArgumentException">It has no authority key identifier.</exception>
    /// <exception cref="CryptographicException">The data is not a certificate.</exception>
    public static RenewalCertificateId Create(ReadOnlyMemory<byte> der)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(der.Span);
        return Create(certificate);
    }

    /// <summary>Creates the identifier of a certificate from its parts.</summary>
    /// <param name="keyIdentifier">The keyIdentifier of the authority key identifier (RFC 5280 section 4.2.1.1).</param>
    /// <param name="serialNumber">The content of the DER integer of the serial number, including a leading zero octet.</param>
    public static RenewalCertificateId Create(ReadOnlySpan<byte> keyIdentifier, ReadOnlySpan<byte> serialNumber) =>
        new($"{Base64Url.EncodeToString(keyIdentifier)}.{Base64Url.EncodeToString(serialNumber)}");

    /// <summary>Creates the identifier of a certificate if it has one; most self-signed certificates do not.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="id">The identifier.</param>
    public static bool TryCreate(X509Certificate2 certificate, [NotNullWhen(true)] out RenewalCertificateId? id)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        id = KeyIdentifierOf(certificate) is { } keyIdentifier ? Create(keyIdentifier.Span, certificate.SerialNumberBytes.Span) : null;
        return id is not null;
    }

    /// <summary>Returns <see cref="Value"/>.</summary>
    public override string ToString() => Value;

    private static ReadOnlyMemory<byte>? KeyIdentifierOf(X509Certificate2 certificate)
    {
        var raw = certificate.Extensions.FirstOrDefault(extension => extension.Oid?.Value == AuthorityKeyIdentifier)?.RawData;
        if (raw is null)
        {
            return null;
        }

        try
        {
            return new X509AuthorityKeyIdentifierExtension(raw).KeyIdentifier;
        }
        catch (CryptographicException)
        {
            // A damaged extension is treated as missing.
            return null;
        }
    }
}
