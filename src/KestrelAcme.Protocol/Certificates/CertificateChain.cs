using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Certificates;

/// <summary>A certificate with its chain, as downloaded from the CA (RFC 8555 section 7.4.2).</summary>
public sealed record CertificateChain
{
    /// <summary>The maximum number of certificates in a chain.</summary>
    public const int MaxCertificates = 20;

    /// <summary>The URL that the chain was downloaded from.</summary>
    public required Uri Url { get; init; }

    /// <summary>The certificates in DER, the leaf first; at least one.</summary>
    public required IReadOnlyList<ReadOnlyMemory<byte>> Certificates { get; init; }

    /// <summary>The URLs of alternate chains for the same leaf.</summary>
    public IReadOnlyList<Uri> AlternateUrls { get; init; } = [];

    /// <summary>The leaf certificate, in DER.</summary>
    public ReadOnlyMemory<byte> Leaf => Certificates[0];

    /// <summary>Writes all certificates in PEM, the leaf first.</summary>
    public string ToPem()
    {
        var text = new StringBuilder();
        foreach (var certificate in Certificates)
        {
            text.Append(PemEncoding.WriteString("CERTIFICATE", certificate.Span)).Append('\n');
        }

        return text.ToString();
    }

    internal static CertificateChain FromResponse(AcmeResponse response, Uri url) => new()
    {
        Url = url,
        Certificates = PemChain.Read(response),
        AlternateUrls = [.. response.Links.Where(link => link.Relation == "alternate").Select(link => link.Url).Distinct()],
    };
}

/// <summary>
/// Reads a PEM certificate chain (RFC 8555 section 9.1). It must hold only readable certificates, and a limited number
/// of them.
/// </summary>
internal static class PemChain
{
    private const string Label = "CERTIFICATE";

    public static IReadOnlyList<ReadOnlyMemory<byte>> Read(AcmeResponse response)
    {
        var certificates = new List<ReadOnlyMemory<byte>>();
        var rest = Encoding.ASCII.GetString(response.Body).AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            // RFC 8555 section 7.4.2: a client must check for other content, such as a private key, before it uses the chain.
            if (!rest[fields.Label].SequenceEqual(Label))
            {
                throw response.Malformed($"the certificate chain holds a {QuotedText.Words(rest[fields.Label].ToString(), 64)}");
            }

            if (certificates.Count == CertificateChain.MaxCertificates)
            {
                throw response.Malformed($"the chain has more than {CertificateChain.MaxCertificates} certificates");
            }

            certificates.Add(Decode(response, rest[fields.Base64Data], fields.DecodedDataLength));
            rest = rest[fields.Location.End..];
        }

        return certificates.Count > 0
            ? certificates
            : throw response.Malformed($"the response ({response.MediaType ?? "without a type"}) holds no certificate in PEM");
    }

    private static ReadOnlyMemory<byte> Decode(AcmeResponse response, ReadOnlySpan<char> base64, int length)
    {
        var der = new byte[length];
        try
        {
            if (!Convert.TryFromBase64Chars(base64, der, out _))
            {
                throw response.Malformed("a certificate of the chain is not base64");
            }

            using var certificate = X509CertificateLoader.LoadCertificate(der);
            return der;
        }
        catch (CryptographicException e)
        {
            throw response.Malformed("a certificate of the chain cannot be read", e);
        }
    }
}
