using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>Creates the CA's own HTTPS certificate: signed by the root, only for this machine, new at each start.</summary>
internal static class ServerCertificate
{
    public static X509Certificate2 Create(Hierarchy hierarchy)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=KestrelAcme local authority", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(hierarchy.Root, true, false));

        // TLS clients use the machine's clock, whatever time the CA simulates.
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.Create(
            hierarchy.Root.SubjectName,
            X509SignatureGenerator.CreateForECDsa(hierarchy.RootKey),
            now.AddDays(-1),
            now.AddYears(1),
            SerialNumber.Create());
        var withKey = certificate.CopyWithPrivateKey(key);
        if (!OperatingSystem.IsWindows())
        {
            return withKey;
        }

        // Schannel does not accept ephemeral keys.
        using (withKey)
        {
            return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), password: null);
        }
    }
}
