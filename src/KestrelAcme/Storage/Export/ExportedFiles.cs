using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KestrelAcme.Storage.Export;

/// <summary>The content of certbot's four files, and of one as PKCS #12.</summary>
internal sealed class ExportedFiles
{
    /// <summary>The name of the private key file.</summary>
    public const string Key = "privkey.pem";

    /// <summary>The name of the file with the certificate, its chain and its private key.</summary>
    public const string Pfx = "certificate.pfx";

    private ExportedFiles(IReadOnlyList<(string Name, byte[] Content)> all) => All = all;

    /// <summary>The files in the order in which they must be written.</summary>
    public IReadOnlyList<(string Name, byte[] Content)> All { get; }

    /// <param name="chainPem">The certificate and its chain, leaf first.</param>
    /// <param name="keyPem">The private key.</param>
    /// <param name="pfxPassword">The password of the PKCS #12 file; <see langword="null"/> if there is to be none.</param>
    /// <exception cref="ArgumentException">The chain contains no certificate, or the key is not PEM.</exception>
    public static ExportedFiles Create(string chainPem, string keyPem, string? pfxPassword = null)
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
            .. pfxPassword is null ? [] : new[] { (Pfx, CreatePfx(chainPem, keyPem, pfxPassword)) },
        ]);
    }

    /// <summary>Whether a PKCS #12 file holds the certificate. Two files with the same content differ, because salts are random.</summary>
    public bool IsPfx(byte[] content, string password)
    {
        try
        {
            using var read = X509CertificateLoader.LoadPkcs12(content, password, X509KeyStorageFlags.EphemeralKeySet);
            using var leaf = X509CertificateLoader.LoadCertificate(All.First(file => file.Name == "cert.pem").Content);
            return read.HasPrivateKey && read.RawDataMemory.Span.SequenceEqual(leaf.RawDataMemory.Span);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static byte[] CreatePfx(string chainPem, string keyPem, string password)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(chainPem);
            using var leaf = all[0];
            all[0] = X509Certificate2.CreateFromPem(chainPem, keyPem);
            return all.ExportPkcs12(Pkcs12ExportPbeParameters.Pbes2Aes256Sha256, password);
        }
        finally
        {
            foreach (var certificate in all)
            {
                certificate.Dispose();
            }
        }
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
