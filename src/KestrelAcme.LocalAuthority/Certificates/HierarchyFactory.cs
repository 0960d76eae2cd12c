using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>Creates a new hierarchy with P-256 keys, which are fast to generate.</summary>
internal static class HierarchyFactory
{
    private const string Organization = "KestrelAcme local authority (development only)";
    private static readonly HashAlgorithmName Hash = HashAlgorithmName.SHA256;

    /// <param name="now">The time of the CA's clock, which may be simulated. The validity also covers this machine's time, which
    /// TLS clients use.</param>
    /// <param name="constraints">What the roots may issue for; <see langword="null"/> if there is no limit.</param>
    public static Hierarchy Create(DateTimeOffset now, NameConstraints? constraints)
    {
        var machine = TimeProvider.System.GetUtcNow();
        var notBefore = (now < machine ? now : machine).AddDays(-30);
        var notAfter = (now > machine ? now : machine).AddYears(20);
        var mark = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3));
        var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var intermediateKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var alternateKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rootName = Name($"KestrelAcme Local Root {mark}");
        var alternateName = Name($"KestrelAcme Local Alternate Root {mark}");

        using var root = RootRequestFor(rootName, rootKey, constraints).CreateSelfSigned(notBefore, notAfter);
        using var alternate = RootRequestFor(alternateName, alternateKey, constraints).CreateSelfSigned(notBefore, notAfter);
        var intermediateRequest = RequestFor(Name($"KestrelAcme Local Intermediate {mark}"), intermediateKey, pathLength: 0);
        return new Hierarchy
        {
            Root = WithoutKey(root),
            RootKey = rootKey,
            Intermediate = Sign(intermediateRequest, root, rootKey, notBefore, notAfter),
            IntermediateKey = intermediateKey,
            AlternateRoot = WithoutKey(alternate),
            CrossSignedRoot = Sign(RootRequestFor(rootName, rootKey, constraints), alternate, alternateKey, notBefore, notAfter),
        };
    }

    private static X500DistinguishedName Name(string commonName)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddOrganizationName(Organization);
        builder.AddCommonName(commonName);
        return builder.Build();
    }

    private static CertificateRequest RootRequestFor(X500DistinguishedName name, ECDsa key, NameConstraints? constraints)
    {
        var request = RequestFor(name, key, pathLength: null);
        if (constraints is not null)
        {
            request.CertificateExtensions.Add(constraints.ToExtension());
        }

        return request;
    }

    private static CertificateRequest RequestFor(X500DistinguishedName name, ECDsa key, int? pathLength)
    {
        var request = new CertificateRequest(name, key, Hash);
        var constraints = new X509BasicConstraintsExtension(true, pathLength is not null, pathLength ?? 0, critical: true);
        request.CertificateExtensions.Add(constraints);
        var usage = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign;
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }

    private static X509Certificate2 Sign(
        CertificateRequest request, X509Certificate2 issuer, ECDsa issuerKey, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, true, false));
        return request.Create(
            issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey), notBefore, notAfter, SerialNumber.Create());
    }

    private static X509Certificate2 WithoutKey(X509Certificate2 certificate) => X509CertificateLoader.LoadCertificate(certificate.RawData);
}
