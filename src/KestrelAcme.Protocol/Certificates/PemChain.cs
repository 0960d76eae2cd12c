using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Certificates;

/// <summary>Reads a PEM certificate chain (RFC 8555 section 9.1): certificates only, each one readable, a bounded number.</summary>
internal static class PemChain
{
    private const string Label = "CERTIFICATE";

    public static IReadOnlyList<ReadOnlyMemory<byte>> Read(AcmeResponse answer)
    {
        var certificates = new List<ReadOnlyMemory<byte>>();
        var rest = Encoding.ASCII.GetString(answer.Body).AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            // RFC 8555 section 7.4.2: a client must look for other things, a private key above all, before it uses the chain.
            if (!rest[fields.Label].SequenceEqual(Label))
            {
                throw answer.Malformed($"the certificate chain holds a {QuotedText.Words(rest[fields.Label].ToString(), 64)}");
            }

            if (certificates.Count == CertificateChain.MaxCertificates)
            {
                throw answer.Malformed($"the chain has more than {CertificateChain.MaxCertificates} certificates");
            }

            certificates.Add(Decode(answer, rest[fields.Base64Data], fields.DecodedDataLength));
            rest = rest[fields.Location.End..];
        }

        return certificates.Count > 0 ? certificates : throw answer.Malformed($"the answer ({answer.MediaType ?? "of no type"}) holds no certificate in PEM");
    }

    private static ReadOnlyMemory<byte> Decode(AcmeResponse answer, ReadOnlySpan<char> base64, int length)
    {
        var der = new byte[length];
        try
        {
            if (!Convert.TryFromBase64Chars(base64, der, out _))
            {
                throw answer.Malformed("a certificate of the chain is not base64");
            }

            using var certificate = X509CertificateLoader.LoadCertificate(der);
            return der;
        }
        catch (CryptographicException e)
        {
            throw answer.Malformed("a certificate of the chain cannot be read", e);
        }
    }
}
