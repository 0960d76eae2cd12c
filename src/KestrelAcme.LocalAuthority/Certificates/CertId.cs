using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Jose;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>The certificate identifier of RFC 9773 section 4.1.</summary>
internal static class CertId
{
    public static string Of(X509Certificate2 certificate)
    {
        var authorityKey = certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier
            ?? throw new CryptographicException("The certificate has no authority key identifier.");

        // SerialNumberBytes are the content of the DER INTEGER: the leading 00 of a serial whose first bit is set is there.
        return Base64UrlText.Encode(authorityKey.Span) + "." + Base64UrlText.Encode(certificate.SerialNumberBytes.Span);
    }
}
