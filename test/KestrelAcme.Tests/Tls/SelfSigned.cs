using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Tls;

namespace KestrelAcme.Tests.Tls;

/// <summary>Creates self-signed certificates.</summary>
internal static class SelfSigned
{
    public static CertificateMaterial Issue(string name, ECDsa key)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        using var leaf = request.CreateSelfSigned(
            TimeProvider.System.GetUtcNow().AddMinutes(-1), TimeProvider.System.GetUtcNow().AddYears(1));
        return new CertificateMaterial(
            name, [name], [leaf.RawData], key.ExportPkcs8PrivateKey(), leaf.NotBefore.ToUniversalTime(), leaf.NotAfter.ToUniversalTime());
    }
}
