using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

/// <summary>Root files in the formats that people have.</summary>
public sealed class TrustedRootsRulesTests : IDisposable
{
    // No certificate may end after its issuer, which may be created a second earlier.
    private static readonly DateTimeOffset Yesterday = TimeProvider.System.GetUtcNow().AddDays(-1);

    private readonly TemporaryFolder _folder = new();
    private readonly X509Certificate2 _root = Create("Root", null, isAuthority: true);
    private readonly X509Certificate2 _intermediate;
    private readonly X509Certificate2 _leaf;

    public TrustedRootsRulesTests()
    {
        _intermediate = Create("Intermediate", _root, isAuthority: true);
        _leaf = Create("leaf.test", _intermediate, isAuthority: false);
    }

    private string Pem => _root.ExportCertificatePem() + "\n";

    [Fact]
    public void Read_PemVariants_AreRead()
    {
        using var own = Create("localhost", null, isAuthority: false);
        byte[][] files =
        [
            Encoding.ASCII.GetBytes(Pem),
            Encoding.ASCII.GetBytes(Pem.ReplaceLineEndings("\r\n")),
            Encoding.ASCII.GetBytes(Pem.ReplaceLineEndings("\r")),
            [0xEF, 0xBB, 0xBF, .. Encoding.ASCII.GetBytes(Pem.ReplaceLineEndings("\r\n"))],
            [0xEF, 0xBB, 0xBF, 0xEF, 0xBB, 0xBF, .. Encoding.ASCII.GetBytes(Pem)],
            [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Pem)],
            [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(Pem)],
            Encoding.UTF8.GetBytes($"Certificate:\n    Data:\n        Subject: CN=Bücher\n{Pem}# end\n"),
            Encoding.ASCII.GetBytes(Pem.Replace("CERTIFICATE", "X509 CERTIFICATE", StringComparison.Ordinal)),
            Encoding.ASCII.GetBytes(_intermediate.ExportCertificatePem()),
            Encoding.ASCII.GetBytes(own.ExportCertificatePem()),
            Encoding.ASCII.GetBytes(_leaf.ExportCertificatePem() + "\n" + _intermediate.ExportCertificatePem()),
            Encoding.ASCII.GetBytes(_root.GetECDsaPrivateKey()!.ExportECPrivateKeyPem() + "\n" + Pem),
        ];

        Assert.All(files, file => Assert.Equal((1, null), Read(file)));
    }

    [Fact]
    public void Read_TwoRootsOfOneName_AreBothRead()
    {
        using var other = Create("Root", null, isAuthority: true);

        Assert.Equal((2, null), Read(Encoding.ASCII.GetBytes(Pem + other.ExportCertificatePem())));
    }

    [Fact]
    public void Read_OtherFormats_ProblemNamesTheFormat()
    {
        var pkcs7 = new X509Certificate2Collection(_root).Export(X509ContentType.Pkcs7)!;
        (byte[] File, string Name, string Fix)[] files =
        [
            (_root.RawData, "is DER, not PEM", "openssl x509 -inform DER"),
            (pkcs7, "is PKCS#7 in DER", "openssl pkcs7 -inform DER -print_certs"),
            (Encoding.ASCII.GetBytes(PemEncoding.WriteString("PKCS7", pkcs7)), "is PKCS#7, not PEM", "openssl pkcs7 -print_certs"),
            (_root.Export(X509ContentType.Pkcs12), "is PKCS#12", "openssl pkcs12 -nokeys"),
            (Encoding.ASCII.GetBytes(Pem.Replace("CERTIFICATE", "TRUSTED CERTIFICATE", StringComparison.Ordinal)),
                "'TRUSTED CERTIFICATE'", "openssl x509"),
            (Encoding.ASCII.GetBytes(_root.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()), "is a private key",
                "-----BEGIN CERTIFICATE-----"),
            (Encoding.ASCII.GetBytes(_root.GetECDsaPrivateKey()!.ExportSubjectPublicKeyInfoPem()), "is a public key",
                "-----BEGIN CERTIFICATE-----"),
            (Encoding.Unicode.GetBytes(Pem), "is UTF-16 without a byte order mark", "UTF-8"),
            (Encoding.ASCII.GetBytes(Convert.ToBase64String(_root.RawData)), "is base64 without the first and last lines of PEM",
                "-----BEGIN CERTIFICATE-----"),
            ([], "is an empty file", "-----BEGIN CERTIFICATE-----"),
            ("\r\n"u8.ToArray(), "is an empty file", "-----BEGIN CERTIFICATE-----"),
            ("hello"u8.ToArray(), "contains no PEM certificate", "-----BEGIN CERTIFICATE-----"),
            (Encoding.ASCII.GetBytes(Pem[..^20]), "contains no complete PEM certificate", "-----END CERTIFICATE-----"),
            (Encoding.ASCII.GetBytes(Pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                "cannot be read, number 2 in the file", "Copy the complete certificate again"),
        ];

        Assert.All(files, file =>
        {
            var (_, problem) = Read(file.File);
            Assert.Contains(file.Name, problem, StringComparison.Ordinal);
            Assert.Contains(file.Fix, problem, StringComparison.Ordinal);
        });
    }

    /// <summary>Accepting it would fail as soon as the server gets its next certificate.</summary>
    [Fact]
    public void Read_CertificateOfAServer_ProblemNamesItsIssuer()
        => Assert.Contains("only that of a server: 'CN=leaf.test', which was issued by 'CN=Intermediate'",
            Read(Encoding.ASCII.GetBytes(_leaf.ExportCertificatePem())).Problem, StringComparison.Ordinal);

    public void Dispose()
    {
        _leaf.Dispose();
        _intermediate.Dispose();
        _root.Dispose();
        _folder.Dispose();
    }

    private (int Count, string? Problem) Read(byte[] file)
    {
        var path = _folder.Combine("roots");
        File.WriteAllBytes(path, file);
        var problem = TestFacts.Problems(options => options.TrustedRootsPath = path,
            TestFacts.Production with { ReadFile = EnvironmentFacts.ReadBounded }).SingleOrDefault();
        return (TrustedRootsRules.Parse(EnvironmentFacts.ReadBounded(path)).Roots.Count, problem);
    }

    private static X509Certificate2 Create(string name, X509Certificate2? issuer, bool isAuthority)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        if (issuer is null)
        {
            return request.CreateSelfSigned(Yesterday, Yesterday.AddDays(9));
        }

        using var certificate = request.Create(issuer, Yesterday, Yesterday.AddDays(8), RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }
}
