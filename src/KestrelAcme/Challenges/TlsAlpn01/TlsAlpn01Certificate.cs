using System.Formats.Asn1;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KestrelAcme.Challenges.TlsAlpn01;

/// <summary>Creates the self-signed certificate that responds to a tls-alpn-01 challenge (RFC 8737 section 3).</summary>
internal static class TlsAlpn01Certificate
{
    private const string AcmeIdentifier = "1.3.6.1.5.5.7.1.31";

    public static X509Certificate2 Create(string identifierType, string identifier, string keyAuthorization, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ACME challenge", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(SubjectAlternativeName(identifierType, identifier));
        request.CertificateExtensions.Add(new X509Extension(AcmeIdentifier, Digest(keyAuthorization), critical: true));

        // Some TLS stacks accept only certificates that were loaded from PKCS #12.
        using var signed = request.CreateSelfSigned(now.AddHours(-1), now.AddDays(7));
        return X509CertificateLoader.LoadPkcs12(signed.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>
    /// Returns the server name that the CA sends: the domain name, or the reverse-mapping name of an IP address (RFC 8738 section 6).
    /// </summary>
    public static string ServerName(string identifierType, string identifier)
        => identifierType == "ip" ? ReverseName(IPAddress.Parse(identifier)) : identifier;

    private static X509Extension SubjectAlternativeName(string identifierType, string identifier)
    {
        var names = new SubjectAlternativeNameBuilder();
        if (identifierType == "ip")
        {
            names.AddIpAddress(IPAddress.Parse(identifier));
        }
        else
        {
            names.AddDnsName(identifier);
        }

        return names.Build();
    }

    private static byte[] Digest(string keyAuthorization)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteOctetString(SHA256.HashData(Encoding.ASCII.GetBytes(keyAuthorization)));
        return writer.Encode();
    }

    private static string ReverseName(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        Array.Reverse(bytes);
        if (bytes.Length == 4)
        {
            return $"{string.Join('.', bytes)}.in-addr.arpa";
        }

        var digits = bytes.SelectMany(b => new[] { b & 0xf, b >> 4 }).Select(n => n.ToString("x", CultureInfo.InvariantCulture));
        return $"{string.Join('.', digits)}.ip6.arpa";
    }
}
