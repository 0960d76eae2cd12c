using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>A PKCS #10 request (RFC 2986) whose signature and key have been checked.</summary>
internal sealed record CertificateSigningRequest(PublicKey PublicKey, IReadOnlyCollection<Identifier> Identifiers)
{
    private const string CommonName = "2.5.4.3";
    private const string AlternativeNames = "2.5.29.17";
    private const string BasicConstraints = "2.5.29.19";

    public static CertificateSigningRequest Parse(byte[] der)
    {
        try
        {
            // Verifies the signature. The extensions are only read, never copied into the certificate.
            var request = CertificateRequest.LoadSigningRequest(
                der, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
            CheckKey(request.PublicKey);
            return new CertificateSigningRequest(request.PublicKey, ReadIdentifiers(request));
        }
        catch (Exception e) when (e is CryptographicException or NotSupportedException or ArgumentException)
        {
            throw Problem.BadCsr("The CSR cannot be used: " + e.Message).ToException();
        }
    }

    /// <summary>Requires that the CSR has exactly the identifiers of the order (RFC 8555 section 7.4).</summary>
    public void RequireExactly(IReadOnlyCollection<Identifier> ordered)
    {
        var missing = ordered.Except(Identifiers).ToArray();
        var extra = Identifiers.Except(ordered).ToArray();
        if (missing.Length + extra.Length > 0)
        {
            throw Problem.BadCsr(
                "The CSR's names differ from the order's."
                + (missing.Length > 0 ? $" Missing: {string.Join(", ", missing.AsEnumerable())}." : "")
                + (extra.Length > 0 ? $" Not ordered: {string.Join(", ", extra.AsEnumerable())}." : "")).ToException();
        }
    }

    private static void CheckKey(PublicKey key)
    {
        using var rsa = key.GetRSAPublicKey();
        using var ecdsa = key.GetECDsaPublicKey();
        var accepted = (rsa, ecdsa) switch
        {
            (not null, _) => rsa.KeySize is 2048 or 3072 or 4096,
            (_, not null) => ecdsa.KeySize is 256 or 384,
            _ => false,
        };
        if (!accepted)
        {
            throw Problem.BadCsr("The CSR's key must be RSA of 2048, 3072 or 4096 bits, P-256 or P-384.").ToException();
        }
    }

    private static HashSet<Identifier> ReadIdentifiers(CertificateRequest request)
    {
        var identifiers = new HashSet<Identifier>();
        foreach (var extension in request.CertificateExtensions)
        {
            if (extension.Oid?.Value == AlternativeNames)
            {
                identifiers.UnionWith(SubjectAlternativeNames.Read(extension.RawData));
            }
            else if (extension.Oid?.Value == BasicConstraints
                && new X509BasicConstraintsExtension(extension, extension.Critical).CertificateAuthority)
            {
                throw Problem.BadCsr("The CSR asks for a CA certificate.").ToException();
            }
        }

        foreach (var name in request.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (!name.HasMultipleElements
                && name.GetSingleElementType().Value == CommonName
                && name.GetSingleElementValue() is { } value)
            {
                identifiers.Add(IdentifierOf(value));
            }
        }

        return identifiers;
    }

    private static Identifier IdentifierOf(string commonName) => System.Net.IPAddress.TryParse(commonName, out var address)
        ? Identifier.OfAddress(address)
        : Identifier.OfName(commonName.ToLowerInvariant());
}
