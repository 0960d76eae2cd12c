using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// A temporary root and a server certificate for localhost, 127.0.0.1 and ::1, for the HTTPS of test servers.
/// </summary>
public sealed class LoopbackCertificate : IDisposable
{
    private LoopbackCertificate(X509Certificate2 server, string rootPem, string certificatePem, string privateKeyPem) =>
        (Server, RootPem, CertificatePem, PrivateKeyPem) = (server, rootPem, certificatePem, privateKeyPem);

    /// <summary>The server certificate with its key.</summary>
    public X509Certificate2 Server { get; }

    /// <summary>The root that a client must trust.</summary>
    public string RootPem { get; }

    /// <summary>The server certificate.</summary>
    public string CertificatePem { get; }

    /// <summary>The server's key (PKCS #8).</summary>
    public string PrivateKeyPem { get; }

    /// <summary>Creates a certificate, valid from yesterday for 30 days.</summary>
    /// <param name="names">Additional DNS names.</param>
    public static LoopbackCertificate Create(params string[] names)
    {
        var from = TimeProvider.System.GetUtcNow().AddDays(-1);
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rootRequest = new CertificateRequest($"CN=Loopback test root {Guid.NewGuid():N}", rootKey, HashAlgorithmName.SHA256);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        rootRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        rootRequest.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(rootRequest.PublicKey, false));
        using var root = rootRequest.CreateSelfSigned(from, from.AddDays(31));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = CreateRequest(key, root, names).Create(root, from, from.AddDays(31), RandomNumberGenerator.GetBytes(16));
        using var withKey = leaf.CopyWithPrivateKey(key);
        // SslStream on Windows requires a key that is not ephemeral; elsewhere the round trip is harmless.
        var server = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
        return new LoopbackCertificate(
            server, root.ExportCertificatePem() + "\n", leaf.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <inheritdoc/>
    public void Dispose() => Server.Dispose();

    private static CertificateRequest CreateRequest(ECDsa key, X509Certificate2 root, string[] names)
    {
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var subject = new SubjectAlternativeNameBuilder();
        subject.AddDnsName("localhost");
        Array.ForEach(names, subject.AddDnsName);
        subject.AddIpAddress(IPAddress.Loopback);
        subject.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(subject.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(root, true, false));
        return request;
    }
}
