using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Identifiers;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Certificates;

public sealed class CertificateRequestBuilderTests
{
    private static readonly AcmeIdentifier[] Names =
    [
        AcmeIdentifier.Dns(new string('a', 60) + ".example"),
        AcmeIdentifier.Dns("*.b.example"),
        AcmeIdentifier.Ip(IPAddress.IPv6Loopback),
        AcmeIdentifier.Dns("*.B.example"),
    ];

    [Fact]
    public void Build_Default_NamesInTheExtensionAlone()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        var request = Load(CertificateRequestBuilder.Build(Names, key));

        Assert.Equal("", request.SubjectName.Name);
        var names = new X509SubjectAlternativeNameExtension(Assert.Single(request.CertificateExtensions).RawData);
        Assert.Equal([Names[0].Value, "*.b.example"], names.EnumerateDnsNames());
        Assert.Equal([IPAddress.IPv6Loopback], names.EnumerateIPAddresses());
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), request.PublicKey.ExportSubjectPublicKeyInfo());
    }

    [Fact]
    public void Build_CommonName_IsTheFirstThatFits()
    {
        using var key = RSA.Create(2048);

        Assert.Equal("CN=*.b.example", Load(CertificateRequestBuilder.Build(Names, key, includeCommonName: true)).SubjectName.Name);
    }

    [Fact]
    public void Build_KeysThatAuthoritiesRefuse_Throws()
    {
        using var p521 = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        using var rsa1024 = RSA.Create(1024);
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);

        Assert.Throws<ArgumentException>(() => CertificateRequestBuilder.Build(Names, p521));
        Assert.Throws<ArgumentException>(() => CertificateRequestBuilder.Build(Names, rsa1024));
        Assert.Throws<ArgumentException>(() => CertificateRequestBuilder.Build([], p384));
        Assert.NotEmpty(CertificateRequestBuilder.Build(Names, p384));
    }

    private static CertificateRequest Load(byte[] der) =>
        CertificateRequest.LoadSigningRequest(der, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
}
