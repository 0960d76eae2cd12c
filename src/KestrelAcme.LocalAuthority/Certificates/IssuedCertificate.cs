using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Jose;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>A certificate issued by the CA. Immutable; do not dispose its certificate.</summary>
public sealed class IssuedCertificate
{
    internal IssuedCertificate(X509Certificate2 certificate, string certId)
    {
        Certificate = certificate;
        CertId = certId;
    }

    /// <summary>The last segment of the certificate's URL.</summary>
    public required string Id { get; init; }

    /// <summary>The leaf certificate, without its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The certificate identifier (RFC 9773 section 4.1).</summary>
    public string CertId { get; }

    /// <summary>The serial number in upper-case hexadecimal.</summary>
    public string SerialNumber => Certificate.SerialNumber;

    /// <summary>The identifiers of the order; addresses are in canonical form.</summary>
    public required IReadOnlyList<string> Identifiers { get; init; }

    /// <summary>The last segment of the URL of the account that ordered the certificate.</summary>
    public required string AccountId { get; init; }

    /// <summary>The last segment of the URL of the order.</summary>
    public required string OrderId { get; init; }

    /// <summary>The profile of the order, or null.</summary>
    public string? Profile { get; init; }

    /// <summary>The identifier of the certificate that the order replaced, or null.</summary>
    public string? Replaces { get; init; }

    /// <summary>When the certificate was issued, by the CA's clock.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>Whether the download contains only the leaf.</summary>
    internal bool ChainMissing { get; init; }
}

/// <summary>Computes certificate identifiers (RFC 9773 section 4.1).</summary>
internal static class CertId
{
    public static string Of(X509Certificate2 certificate)
    {
        var authorityKey = certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier
            ?? throw new CryptographicException("The certificate has no authority key identifier.");

        // SerialNumberBytes is the content of the DER INTEGER, including the leading 00 of a serial number with its first bit set.
        return Base64UrlText.Encode(authorityKey.Span) + "." + Base64UrlText.Encode(certificate.SerialNumberBytes.Span);
    }
}

/// <summary>
/// Creates random serial numbers of 16 bytes. About half have their first bit set, so that clients encounter the
/// leading 00 of DER.
/// </summary>
internal static class SerialNumber
{
    public static byte[] Create()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        if (serial[0] == 0)
        {
            serial[0] = 1;
        }

        return serial;
    }
}
