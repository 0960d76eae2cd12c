using System.Security.Cryptography;
using System.Text;
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
