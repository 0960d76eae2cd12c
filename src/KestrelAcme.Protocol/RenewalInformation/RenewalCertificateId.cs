using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Protocol.RenewalInformation;

/// <summary>How renewal information names a certificate (RFC 9773 section 4.1): the authority key identifier and the serial number.</summary>
public sealed record RenewalCertificateId
{
    private const string AuthorityKeyIdentifier = "2.5.29.35";

    private RenewalCertificateId(string value)
    {
        Value = value;
    }

    /// <summary>The identifier as it is written: two parts in base64url with a dot between.</summary>
    public string Value { get; }

    /// <summary>Names a certificate.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <exception cref="ArgumentException">It has no authority key identifier with a key identifier; see <see cref="TryCreate(X509Certificate2, out RenewalCertificateId)"/>.</exception>
    public static RenewalCertificateId Create(X509Certificate2 certificate) =>
        TryCreate(certificate, out var id) ? id : throw new ArgumentException("The certificate has no authority key identifier.", nameof(certificate));

    /// <summary>Names a certificate.</summary>
    /// <param name="der">The certificate in DER.</param>
    /// <exception cref="ArgumentException">It has no authority key identifier with a key identifier.</exception>
    /// <exception cref="CryptographicException">It is no certificate.</exception>
    public static RenewalCertificateId Create(ReadOnlyMemory<byte> der)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(der.Span);
        return Create(certificate);
    }

    /// <summary>Names a certificate by what stands in it.</summary>
    /// <param name="keyIdentifier">The keyIdentifier of its authority key identifier (RFC 5280 section 4.2.1.1).</param>
    /// <param name="serialNumber">The content of the DER integer that is its serial number; a leading zero octet belongs to it.</param>
    public static RenewalCertificateId Create(ReadOnlySpan<byte> keyIdentifier, ReadOnlySpan<byte> serialNumber) =>
        new($"{Base64Url.EncodeToString(keyIdentifier)}.{Base64Url.EncodeToString(serialNumber)}");

    /// <summary>Names a certificate if it can be named: self-signed ones as a rule cannot.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="id">The name.</param>
    public static bool TryCreate(X509Certificate2 certificate, [NotNullWhen(true)] out RenewalCertificateId? id)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        id = KeyIdentifierOf(certificate) is { } keyIdentifier ? Create(keyIdentifier.Span, certificate.SerialNumberBytes.Span) : null;
        return id is not null;
    }

    /// <summary>The identifier as it is written.</summary>
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
            // A damaged extension names nothing.
            return null;
        }
    }
}
