using System.Security.Cryptography;
using System.Text;

namespace KestrelAcme.Storage.Export;

/// <summary>The content of certbot's four files.</summary>
internal sealed class ExportedFiles
{
    /// <summary>The name of the private key file.</summary>
    public const string Key = "privkey.pem";

    private ExportedFiles(IReadOnlyList<(string Name, byte[] Content)> all) => All = all;

    /// <summary>The files in the order in which they must be written.</summary>
    public IReadOnlyList<(string Name, byte[] Content)> All { get; }

    /// <exception cref="ArgumentException">The chain contains no certificate, or the key is not PEM.</exception>
    public static ExportedFiles Create(string chainPem, string keyPem)
    {
        var certificates = SplitCertificates(chainPem);
        if (certificates.Count == 0)
        {
            throw new ArgumentException("The chain contains no PEM certificate.", nameof(chainPem));
        }

        if (!PemEncoding.TryFind(keyPem, out _))
        {
            throw new ArgumentException("The private key is not in PEM.", nameof(keyPem));
        }

        return new(
        [
            (Key, Encoding.UTF8.GetBytes(keyPem.TrimEnd() + "\n")),
            ("cert.pem", Join(certificates.Take(1))),
            ("chain.pem", Join(certificates.Skip(1))),
            ("fullchain.pem", Join(certificates)),
        ]);
    }

    private static List<string> SplitCertificates(string pem)
    {
        var certificates = new List<string>();
        var rest = pem.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            if (rest[fields.Label] is "CERTIFICATE")
            {
                certificates.Add(rest[fields.Location].ToString().ReplaceLineEndings("\n"));
            }

            rest = rest[fields.Location.End..];
        }

        return certificates;
    }

    private static byte[] Join(IEnumerable<string> certificates)
        => Encoding.ASCII.GetBytes(string.Concat(certificates.Select(certificate => certificate + "\n")));
}
