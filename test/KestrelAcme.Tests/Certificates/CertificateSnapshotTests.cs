using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Protocol.RenewalInformation;
using Xunit;

namespace KestrelAcme.Tests.Certificates;

/// <summary>The values that KestrelAcme reads from the bytes of a leaf are those that .NET reads.</summary>
public sealed class CertificateSnapshotTests
{
    [Theory]
    [InlineData("7F", 2026, 2027)]
    [InlineData("80", 2026, 2027)]
    [InlineData("FF00000000000000000000000000000000000000", 2049, 2051)]
    [InlineData("00AB", 1999, 2050)]
    public void Read_AnyLeaf_IsAsDotNetReadsIt(string serial, int from, int until)
    {
        using var leaf = Create(Convert.FromHexString(serial), from, until, "http://crl.example/1.crl");
        var snapshot = CertificateSnapshot.Read(Record(leaf.RawData));
        Assert.Equal(leaf.SerialNumber, snapshot.SerialNumber);
        Assert.Equal(leaf.Issuer, snapshot.Issuer);
        Assert.Equal(leaf.NotBefore.ToUniversalTime(), snapshot.NotBefore.UtcDateTime);
        Assert.Equal(leaf.NotAfter.ToUniversalTime(), snapshot.NotAfter.UtcDateTime);
        Assert.Equal(new Uri("http://crl.example/1.crl"), snapshot.RevocationListUrl);
        Assert.Equal(RenewalCertificateId.Create(leaf), snapshot.ReadRenewalId());
    }

    [Fact]
    public void ReadRenewalId_WithoutItsIssuersKey_IsNone()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bare", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension("2.5.29.35", [0x30, 0x05, 0x80], critical: false));
        using var damaged = request.CreateSelfSigned(TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddDays(1));

        Assert.Null(CertificateSnapshot.Read(Record(damaged.RawData)).ReadRenewalId());
        request.CertificateExtensions.Clear();
        using var bare = request.CreateSelfSigned(TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddDays(1));
        Assert.Null(CertificateSnapshot.Read(Record(bare.RawData)).ReadRenewalId());
    }

    [Fact]
    public void IsSameAs_SerialNumberOfAnotherIssuer_IsNot()
    {
        using var one = Create([1], 2026, 2027, "http://crl.example/1.crl");
        using var successor = Create([2], 2026, 2027, "http://crl.example/1.crl");
        using var other = Create([1], 2026, 2027, "http://crl.example/1.crl", issuer: "CN=Another");
        var snapshot = CertificateSnapshot.Read(Record(one.RawData));

        Assert.True(snapshot.IsSameAs(CertificateSnapshot.Read(Record(one.RawData))));
        Assert.False(snapshot.IsSameAs(CertificateSnapshot.Read(Record(successor.RawData))));
        Assert.False(snapshot.IsSameAs(CertificateSnapshot.Read(Record(other.RawData))));
        Assert.False(snapshot.IsSameAs(null));
    }

    [Fact]
    public void Read_LeafWithoutExtensions_HasNoRevocationList()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bare", key, HashAlgorithmName.SHA256);
        using var leaf = request.CreateSelfSigned(TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddDays(1));
        Assert.Null(CertificateSnapshot.Read(Record(leaf.RawData)).RevocationListUrl);
    }

    [Fact]
    public void Read_EveryCutOffLeaf_IsDamaged()
    {
        using var leaf = Create([1], 2026, 2027, "http://crl.example/1.crl");
        for (var length = 0; length < leaf.RawData.Length; length++)
        {
            Assert.Throws<DamagedValueException>(() => CertificateSnapshot.Read(Record(leaf.RawData[..length])));
        }
    }

    [Fact]
    public void Read_AnyByteChanged_IsReadOrDamagedAndNothingElse()
    {
        using var leaf = Create([1], 2026, 2027, "http://crl.example/1.crl");
        var read = 0;
        for (var i = 0; i < leaf.RawData.Length; i++)
        {
            foreach (var flip in new byte[] { 1, 0x80, 0xFF })
            {
                var bytes = leaf.RawData;
                bytes[i] ^= flip;
                try
                {
                    _ = CertificateSnapshot.Read(Record(bytes)).ToString();
                    read++;
                }
                catch (DamagedValueException)
                {
                    // Damage is recognized by this exception.
                }
            }
        }

        Assert.InRange(read, 1, (3 * leaf.RawData.Length) - 1);
    }

    private static X509Certificate2 Create(
        byte[] serial, int from, int until, string list, string issuer = "CN=\"An Issuer, Inc.\", O=Ünïcode, C=AT")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=leaf.test", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([list]));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier([.. serial, 7]));
        return request.Create(
            new X500DistinguishedName(issuer), X509SignatureGenerator.CreateForECDsa(key),
            new DateTimeOffset(from, 1, 2, 3, 4, 5, TimeSpan.Zero), new DateTimeOffset(until, 6, 7, 8, 9, 10, TimeSpan.Zero), serial);
    }

    private static CertificateRecord Record(byte[] leaf) => new([leaf], default, new CertificateMetadata
    {
        Names = ["leaf.test"],
        KeyAlgorithm = "EcdsaP256",
        DirectoryUrl = new Uri("https://ca.test/directory"),
        AccountUrl = new Uri("https://ca.test/account/1"),
        ObtainedAt = default,
        Jitter = 0.5,
    });
}
