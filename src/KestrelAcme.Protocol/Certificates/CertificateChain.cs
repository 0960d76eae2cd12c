using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Certificates;

/// <summary>A certificate with the chain that the authority sent for it (RFC 8555 section 7.4.2).</summary>
public sealed record CertificateChain
{
    /// <summary>The most certificates that are read.</summary>
    public const int MaxCertificates = 20;

    /// <summary>Where it was downloaded.</summary>
    public required Uri Url { get; init; }

    /// <summary>The certificates in DER, the leaf first; at least one.</summary>
    public required IReadOnlyList<ReadOnlyMemory<byte>> Certificates { get; init; }

    /// <summary>Where the same leaf is to be had with other chains.</summary>
    public IReadOnlyList<Uri> AlternateUrls { get; init; } = [];

    /// <summary>The certificate itself, in DER.</summary>
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

    internal static CertificateChain FromResponse(AcmeResponse answer, Uri url) => new()
    {
        Url = url,
        Certificates = PemChain.Read(answer),
        AlternateUrls = [.. answer.Links.Where(link => link.Relation == "alternate").Select(link => link.Url).Distinct()],
    };
}
