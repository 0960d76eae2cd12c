using System.Security.Cryptography;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Tests.Tls;

namespace KestrelAcme.Tests.Certificates.Scheduling;

/// <summary>Certificates and specifications for tests without a CA.</summary>
internal static class SampleCertificates
{
    private static readonly TestAuthority Authority = new();

    public static ConfigurationSnapshot Configuration { get; } = new() { StoragePath = "" };

    public static CertificateSpecification Specification(string name) => new()
    {
        Id = name,
        Identifiers = [new(IdentifierKind.Dns, name)],
        KeyAlgorithm = KeyAlgorithm.EcdsaP256,
        ChallengeTypes = ["http-01"],
    };

    public static CertificateSnapshot Snapshot(string name, DateTimeOffset notBefore, DateTimeOffset notAfter)
        => Snapshot([name], notBefore, notAfter);

    public static CertificateSnapshot Snapshot(string[] names, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var material = Authority.Issue(names, key, names[0], notBefore, notAfter);
        return CertificateSnapshot.Read(new CertificateRecord(material.Chain, material.PrivateKey, new CertificateMetadata
        {
            Names = [.. names],
            KeyAlgorithm = "EcdsaP256",
            DirectoryUrl = new Uri("https://ca.test/dir"),
            AccountUrl = new Uri("https://ca.test/account/1"),
            ObtainedAt = notBefore,
            Jitter = 0,
        }));
    }
}
