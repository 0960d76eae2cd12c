using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class CertificateReaderTests
{
    [Fact]
    public void Build_SeveralNames_OneCertificateEach()
    {
        var snapshot = TestFacts.Snapshot(options => options.DomainNames = ["example.com", "WWW.example.com.", "bücher.com"]);

        Assert.Equal(["example.com", "www.example.com", "xn--bcher-kva.com"], snapshot.Certificates.Select(certificate => certificate.Id));
        Assert.All(snapshot.Certificates, certificate => Assert.Equal(["http-01"], certificate.ChallengeTypes));
    }

    [Fact]
    public void Build_SeveralKeyAlgorithms_OneCertificateForEach()
    {
        var snapshot = TestFacts.Snapshot(options => options.KeyAlgorithms = [KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa2048]);

        Assert.Equal(["example.com", "example.com+rsa2048"], snapshot.Certificates.Select(certificate => certificate.Id));
        Assert.Equal([KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa2048], snapshot.Certificates.Select(certificate => certificate.KeyAlgorithm));
    }

    [Fact]
    public void Build_Group_KeepsOrderAndItsOwnSettings()
    {
        var snapshot = TestFacts.Snapshot(options => options.Certificates =
        [
            new()
            {
                DomainNames = ["b.example.com", "*.a.example.com"],
                KeyAlgorithms = [KeyAlgorithm.Rsa3072],
                Profile = "shortlived",
                PreferredChain = "ISRG Root X1",
                ChallengeTypes = ["DNS-01"],
            },
        ]);

        var group = snapshot.Certificates[1];
        Assert.Equal(["b.example.com", "*.a.example.com"], group.Identifiers.Select(identifier => identifier.Value));
        Assert.Equal((KeyAlgorithm.Rsa3072, "shortlived", "ISRG Root X1"), (group.KeyAlgorithm, group.Profile, group.PreferredChain));
        Assert.Equal(["dns-01"], group.ChallengeTypes);
    }

    [Fact]
    public void Build_WildcardAndHost_BothAllowed()
    {
        var snapshot = TestFacts.Snapshot(options =>
        {
            options.ChallengeTypes = ["dns-01"];
            options.DomainNames = ["*.example.com", "www.example.com", "example.com"];
        });

        Assert.Equal(3, snapshot.Certificates.Count);
    }

    [Theory]
    [InlineData("*.example.com", "www.example.com", "www.example.com", "example.com")]
    [InlineData("WWW.Example.com.", "*.example.COM", "www.example.com", "example.com")]
    [InlineData("*.a.example.com", "b.a.example.com", "b.a.example.com", "a.example.com")]
    public void Build_WildcardAndAMemberInOneCertificate_IsAProblem(string first, string second, string member, string parent)
        => Assert.Equal(
            [
                $"AcmeHttps:Certificates:0:DomainNames = '{member}': is covered by '*.{parent}' in the same certificate, which public "
                    + "CAs reject. Remove it here, or move it to the list DomainNames, with a certificate of its own."],
            TestFacts.Problems(
                options => (
                    options.ChallengeTypes,
                    options.DomainNames,
                    options.Certificates) = (["dns-01"], [], [new() { DomainNames = [first, second] }])));

    [Theory]
    [InlineData(null, "*.example.com", "example.com")]
    [InlineData(null, "*.example.com", "a.b.example.com")]
    [InlineData(null, "*.example.com", "*.b.example.com")]
    [InlineData("https://ca.internal/dir", "*.example.com", "www.example.com")]
    public void Build_WildcardAndNoMember_Allowed(string? authority, string first, string second)
        => Assert.Empty(TestFacts.Problems(options =>
            (
                options.ChallengeTypes,
                options.DirectoryUrl,
                options.DomainNames,
                options.Certificates) = (["dns-01"], authority, [], [new() { DomainNames = [first, second] }])));

    [Fact]
    public void Build_NoNames_Allowed() => Assert.Empty(TestFacts.Snapshot(options => options.DomainNames = []).Certificates);

    [Fact]
    public void Build_NullLists_AreEmpty()
        => Assert.Empty(
            TestFacts.Snapshot(
                options => (
                    options.DomainNames,
                    options.Certificates,
                    options.Authorities,
                    options.LocalAddressNames) = (null!, null!, null!, null!)).Certificates);

    [Fact]
    public void Build_DuplicateAfterNormalization_PointsAtTheFirst()
        => Assert.Equal(
            ["AcmeHttps:DomainNames:1 = 'Example.COM.': is the same name as AcmeHttps:DomainNames:0. Remove one of them."],
            TestFacts.Problems(options => options.DomainNames.Add("Example.COM.")));

    [Fact]
    public void Build_DuplicateAcrossLists_IsAProblem()
        => Assert.Equal(
            ["AcmeHttps:Certificates:0:DomainNames:0 = 'example.com': is the same name as AcmeHttps:DomainNames:0. Remove one of them."],
            TestFacts.Problems(options => options.Certificates = [new() { DomainNames = ["example.com", "www.example.com"] }]));

    [Fact]
    public void Build_NamesThatWouldShareAFile_AreAProblem()
        => Assert.Single(
            TestFacts.Problems(options => (options.DirectoryUrl, options.DomainNames) = ("https://ca.corp/dir", ["a1--1", "a1::1"])));

    [Fact]
    public void Build_WildcardWithHttpOnly_IsAProblem()
        => Assert.Equal(
            [
                "AcmeHttps:DomainNames:0 = '*.example.com': is a wildcard, which only a DNS challenge can validate. Add 'dns-01' to "
                    + "ChallengeTypes, or list the hosts one by one."],
            TestFacts.Problems(options => options.DomainNames = ["*.example.com"]));

    [Fact]
    public void Build_EmptyGroup_IsAProblem()
        => Assert.Equal(
            ["AcmeHttps:Certificates:0:DomainNames: has no names. Write at least one name, or remove the certificate."],
            TestFacts.Problems(options => options.Certificates = [new()]));

    [Fact]
    public void Build_GroupOf101_IsAProblem()
        => Assert.StartsWith(
            "AcmeHttps:Certificates:0:DomainNames: has 101 names.",
            Assert.Single(
                TestFacts.Problems(
                    options => options.Certificates = [
                        new() { DomainNames = [.. Enumerable.Range(0, 101).Select(i => $"n{i}.example.com")] }])),
            StringComparison.Ordinal);

    [Fact]
    public void Build_ReservedName_AllowedWithAPrivateAuthority()
    {
        Assert.Single(TestFacts.Problems(options => options.DomainNames = ["a.test"]));
        Assert.Empty(TestFacts.Problems(options => (options.DomainNames, options.DirectoryUrl) = (["a.test"], "https://ca.corp/dir")));
        Assert.Empty(
            TestFacts.Problems(
                options => (
                    options.DomainNames,
                    options.Authorities) = (["a.test"],
                    [new() { DirectoryUrl = "LetsEncrypt" }, new() { DirectoryUrl = "https://ca.corp/dir" }])));
    }

    [Fact]
    public void Build_ManyWrong_ReportsAll()
    {
        var problems = TestFacts.Problems(options =>
        {
            options.DomainNames = ["a b", "http://c.example"];
            options.EmailAddress = "nobody";
            options.AcceptTermsOfService = false;
            options.MaxConcurrentOrders = 0;
        });

        Assert.Equal(5, problems.Length);
    }

    [Fact]
    public void Build_TenThousandNames_OneCertificateEach()
        => Assert.Equal(
            10_000,
            TestFacts.Snapshot(options => options.DomainNames = [.. Enumerable.Range(0, 10_000).Select(i => $"n{i}.example.com")])
                .Certificates.Count);

    [Fact]
    public void ForName_AtRunTime_SameAsConfigured()
    {
        var snapshot = TestFacts.Snapshot(options => options.KeyAlgorithms = [KeyAlgorithm.Rsa2048, KeyAlgorithm.EcdsaP256]);

        Assert.Equal(snapshot.Certificates, CertificateSpecification.ForName(snapshot.Certificates[0].Identifiers[0], snapshot));
    }
}
