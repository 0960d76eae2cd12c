using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Tests.Tls;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Persistence;

public sealed class CertificateFileTests
{
    private static readonly CertificateRecord Record = new(
        [new byte[] { 1, 2, 3 }, new byte[] { 4, 5 }],
        new byte[] { 6, 7, 8, 9 },
        new CertificateMetadata
        {
            Names = ["example.com", "*.example.com"],
            KeyAlgorithm = "EcdsaP256",
            DirectoryUrl = new Uri("https://ca.example/dir"),
            AccountUrl = new Uri("https://ca.example/acct/1"),
            ObtainedAt = DateTimeOffset.UnixEpoch,
            Jitter = 0.25,
        });

    [Fact]
    public void Decode_Encoded_GivesTheSame()
    {
        var decoded = CertificateFile.Decode(CertificateFile.Encode(Record), new SharedParts());

        Assert.Equal(Record.Chain.Select(c => c.ToArray()), decoded.Chain.Select(c => c.ToArray()));
        Assert.Equal(Record.PrivateKey.ToArray(), decoded.PrivateKey.ToArray());
        Assert.Equal(Record.Metadata.Names, decoded.Metadata.Names);
        Assert.Equal(Record.Metadata with { Names = [] }, decoded.Metadata with { Names = [] });
    }

    [Fact]
    public void Decode_AnyTruncation_IsDamagedOrWhole()
    {
        var whole = CertificateFile.Encode(Record);
        for (var length = 0; length < whole.Length - 1; length++)
        {
            Assert.Throws<DamagedValueException>(() => CertificateFile.Decode(whole.AsSpan(0, length), new SharedParts()));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("KestrelAcme-Metadata: {}\n")]
    [InlineData(
        "KestrelAcme-Metadata: nonsense\n-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n" +
        "-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n")]
    public void Decode_Nonsense_IsDamaged(string text)
        => Assert.Throws<DamagedValueException>(() => CertificateFile.Decode(Encoding.UTF8.GetBytes(text), new SharedParts()));

    [Fact]
    public void Decode_SameIssuer_IsOneCopy()
    {
        var shared = new SharedParts();
        var one = CertificateFile.Decode(CertificateFile.Encode(Record), shared);
        var other = CertificateFile.Decode(CertificateFile.Encode(Record with { Chain = [new byte[] { 9 }, new byte[] { 4, 5 }] }), shared);

        Assert.True(one.Chain[1].Equals(other.Chain[1]));
        Assert.False(one.Chain[0].Equals(other.Chain[0]));
        Assert.Same(one.Metadata.DirectoryUrl, other.Metadata.DirectoryUrl);
    }

    [Theory]
    [InlineData("PUBLIC KEY")]
    [InlineData("PRIVATE KEY")]
    public void Decode_BlockThatDoesNotBelong_IsDamaged(string label)
    {
        var value = Encoding.UTF8.GetString(CertificateFile.Encode(Record)) + $"-----BEGIN {label}-----\nAQID\n-----END {label}-----\n";

        var exception = Assert.Throws<DamagedValueException>(
            () => CertificateFile.Decode(Encoding.UTF8.GetBytes(value), new SharedParts()));
        Assert.Contains(label, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_Record_ShowsNoKey() => Assert.DoesNotContain("BgcICQ", Record.ToString(), StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(Bookkeeping))]
    public void Decode_OnlyTheMetadataIsDamaged_RecoversChainAndKey(string damage)
    {
        var material = new TestAuthority().Issue("a.test", "*.a.test");
        var record = Record with
        {
            Chain = material.Chain,
            PrivateKey = material.PrivateKey,
            Metadata = Record.Metadata with { Names = ["a.test", "*.a.test"] },
        };

        var decoded = CertificateFile.Decode(StoreDamage.Apply(damage, CertificateFile.Encode(record)), new SharedParts());

        Assert.Equal(material.Chain.Select(c => c.ToArray()), decoded.Chain.Select(c => c.ToArray()));
        Assert.Equal(material.PrivateKey.ToArray(), decoded.PrivateKey.ToArray());
        Assert.Equal(["*.a.test", "a.test"], decoded.Metadata.Names.Order(StringComparer.Ordinal));
        Assert.InRange(decoded.Metadata.Jitter, 0, 1);
    }

    [Theory]
    [InlineData("EcdsaP384")]
    [InlineData("Rsa2048")]
    [InlineData("Rsa3072")]
    public void Decode_MetadataIsMissing_KnowsTheKindOfKey(string algorithm)
    {
        using AsymmetricAlgorithm key = algorithm == "EcdsaP384"
            ? ECDsa.Create(ECCurve.NamedCurves.nistP384)
            : RSA.Create(int.Parse(algorithm[3..], CultureInfo.InvariantCulture));
        var material = new TestAuthority().Issue(["a.test"], key);
        var value = CertificateFile.Encode(Record with { Chain = material.Chain, PrivateKey = material.PrivateKey });

        Assert.Equal(algorithm, CertificateFile.Decode(StoreDamage.Apply("no-metadata", value), new SharedParts()).Metadata.KeyAlgorithm);
    }

    [Theory]
    [InlineData("nul")]
    [InlineData("empty")]
    [InlineData("half")]
    public void Decode_KeyIsLost_IsDamaged(string damage)
    {
        var material = new TestAuthority().Issue("a.test");
        var value = CertificateFile.Encode(Record with { Chain = material.Chain, PrivateKey = material.PrivateKey });

        Assert.Throws<DamagedValueException>(() => CertificateFile.Decode(StoreDamage.Apply(damage, value), new SharedParts()));
    }

    [Fact]
    public void Decode_IntermediateIsCutOff_IsDamaged()
    {
        var material = new TestAuthority().Issue("a.test");
        var text = Encoding.UTF8.GetString(
            CertificateFile.Encode(Record with { Chain = material.Chain, PrivateKey = material.PrivateKey }));
        var second = text.LastIndexOf("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal);

        Assert.Throws<DamagedValueException>(
            () => CertificateFile.Decode(Encoding.UTF8.GetBytes("x" + text.Remove(second + 60, 100)), new SharedParts()));
    }

    [Fact]
    public void Decode_OlderContentBehindTheEnd_IsTheLaterCertificate()
    {
        var authority = new TestAuthority();
        var now = TimeProvider.System.GetUtcNow();
        var (older, later) = (Value(now.AddDays(-60)), Value(now.AddDays(-1)));

        var decoded = CertificateFile.Decode([.. later, .. older], new SharedParts());

        Assert.Equal(CertificateFile.Decode(later, new SharedParts()).Chain[0].ToArray(), decoded.Chain[0].ToArray());

        byte[] Value(DateTimeOffset from)
        {
            var material = authority.Issue(["a.test"], ECDsa.Create(ECCurve.NamedCurves.nistP256), notBefore: from);
            return CertificateFile.Encode(Record with { Chain = material.Chain, PrivateKey = material.PrivateKey });
        }
    }

    public static TheoryData<string> Bookkeeping => [.. StoreDamage.Bookkeeping];
}
