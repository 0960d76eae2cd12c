using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Tls;

namespace KestrelAcme.Tests.Tls;

/// <summary>A CA with a root and an intermediate, created in memory, that issues leaves.</summary>
internal sealed class TestAuthority
{
    private readonly X509Certificate2 _intermediate;
    private long _serial;

    public TestAuthority(string name = "Test")
    {
        var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rootRequest = new CertificateRequest($"CN={name} Root", rootKey, HashAlgorithmName.SHA256);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        rootRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        rootRequest.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(rootRequest.PublicKey, false));
        Root = rootRequest.CreateSelfSigned(Now.AddYears(-1), Now.AddYears(10));
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name} Intermediate", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Root, true, false));
        _intermediate = request.Create(Root, Now.AddYears(-1), Now.AddYears(5), NextSerial()).CopyWithPrivateKey(key);
    }

    public X509Certificate2 Root { get; }

    public X509Certificate2 Intermediate => _intermediate;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public X509Certificate2 CreateLeaf(
        IEnumerable<string> names, AsymmetricAlgorithm key, DateTimeOffset? notBefore = null, DateTimeOffset? notAfter = null)
    {
        var list = names.ToList();
        var request = key is RSA rsa
            ? new CertificateRequest($"CN={list[0]}", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest($"CN={list[0]}", (ECDsa)key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in list)
        {
            if (System.Net.IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_intermediate, true, false));
        return request.Create(
            _intermediate.SubjectName, X509SignatureGenerator.CreateForECDsa(_intermediate.GetECDsaPrivateKey()!),
            notBefore ?? Now.AddDays(-1), notAfter ?? Now.AddDays(89), NextSerial());
    }

    /// <summary>Issues a certificate in the form that is published.</summary>
    public CertificateEntry Entry(string name)
    {
        var material = Issue(name);
        return new CertificateEntry(material, material.Chain, KeyKinds.EcdsaP256);
    }

    public CertificateMaterial Issue(params string[] names) => Issue(names, ECDsa.Create(ECCurve.NamedCurves.nistP256));

    public CertificateMaterial Issue(
        IReadOnlyList<string> names,
        AsymmetricAlgorithm key,
        string? id = null,
        DateTimeOffset? notBefore = null,
        DateTimeOffset? notAfter = null)
    {
        using var leaf = CreateLeaf(names, key, notBefore, notAfter);
        return new CertificateMaterial(
            id ?? names[0], names, [leaf.RawData, _intermediate.RawData], key.ExportPkcs8PrivateKey(),
            leaf.NotBefore.ToUniversalTime(), leaf.NotAfter.ToUniversalTime());
    }

    /// <summary>Issues a certificate with its key, as apps configure it themselves.</summary>
    public X509Certificate2 IssueWithKey(params string[] names) => IssueWithKey(names, ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Issues a certificate with its key, as apps configure it themselves.</summary>
    public X509Certificate2 IssueWithKey(IReadOnlyList<string> names, AsymmetricAlgorithm key)
    {
        var leaf = CreateLeaf(names, key);
        return key is RSA rsa ? leaf.CopyWithPrivateKey(rsa) : leaf.CopyWithPrivateKey((ECDsa)key);
    }

    private byte[] NextSerial()
    {
        var serial = new byte[9];
        serial[0] = 1;
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(serial.AsSpan(1), Interlocked.Increment(ref _serial));
        return serial;
    }
}
