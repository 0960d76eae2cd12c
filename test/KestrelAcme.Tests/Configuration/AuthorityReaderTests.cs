using KestrelAcme.Configuration;
using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class AuthorityReaderTests
{
    private const string Hmac = "AAECAwQFBgcICQoLDA0ODw";

    [Fact]
    public void Build_NothingNamed_LetsEncrypt()
    {
        var authority = Assert.Single(TestFacts.Snapshot().Authorities);

        Assert.Equal("letsencrypt", authority.Id);
        Assert.Equal("https://acme-v02.api.letsencrypt.org/directory", authority.DirectoryUrl.AbsoluteUri);
        Assert.Equal("https://acme-staging-v02.api.letsencrypt.org/directory", authority.StagingTwin?.AbsoluteUri);
        Assert.True(authority.IsPublic);
    }

    [Fact]
    public void Build_NothingNamedInDevelopment_NoAuthorityAndNoProblem()
    {
        var snapshot = TestFacts.Snapshot(
            options => (options.AcceptTermsOfService, options.DomainNames) = (false, ["app.localhost"]), TestFacts.Development);

        Assert.Empty(snapshot.Authorities);
        Assert.Contains("Development", snapshot.NoAuthorityReason, StringComparison.Ordinal);
        Assert.Single(snapshot.Certificates);
    }

    [Fact]
    public void Build_NamedInDevelopment_IsUsed()
    {
        var snapshot = TestFacts.Snapshot(options => options.DirectoryUrl = "letsencryptstaging", TestFacts.Development);

        Assert.Equal("LetsEncryptStaging", Assert.Single(snapshot.Authorities).DisplayName);
        Assert.Null(snapshot.NoAuthorityReason);
    }

    [Fact]
    public void Build_UrlOfAKnownAuthority_SameAsItsName()
        => Assert.Equal(
            TestFacts.Snapshot(options => options.DirectoryUrl = "LetsEncrypt"),
            TestFacts.Snapshot(options => options.DirectoryUrl = "https://acme-v02.api.letsencrypt.org/directory"));

    [Theory]
    [InlineData("https://ca.corp/acme/acme/directory")]
    [InlineData("https://[::1]:14000/DIR?x=1")]
    [InlineData("http://127.0.0.1:14000/dir")]
    [InlineData("http://localhost/dir")]
    [InlineData("http://ca.localhost/dir")]
    public void Build_PrivateAuthority_IdIsAStorageKeySegment(string url)
    {
        var authority = Assert.Single(TestFacts.Snapshot(options => options.DirectoryUrl = url).Authorities);

        Assert.True(StorageKey.IsValid(authority.Id), authority.Id);
        Assert.False(authority.IsPublic);
        Assert.Null(authority.StagingTwin);
    }

    [Fact]
    public void Build_UrlsThatDifferInPunctuation_DifferentIds()
        => Assert.NotEqual(
            TestFacts.Snapshot(options => options.DirectoryUrl = "https://ca.corp/a/b").Authorities[0].Id,
            TestFacts.Snapshot(options => options.DirectoryUrl = "https://ca.corp/a-b").Authorities[0].Id);

    [Theory]
    [InlineData("LetsEncryt", "is neither a URL nor a known CA. Did you mean 'LetsEncrypt'?")]
    [InlineData("ca.corp/dir", "is neither a URL nor a known CA. Write a URL that begins with 'https://', or one of LetsEncrypt,")]
    [InlineData("/dir", "is neither a URL nor a known CA.")]
    [InlineData("http://ca.corp/dir", "is not encrypted, and not on this machine. Write 'https://ca.corp/dir'.")]
    [InlineData("http://ca.corp:8080/dir", "is not encrypted, and not on this machine. Write 'https://ca.corp:8080/dir'.")]
    [InlineData("ftp://ca.corp/dir", "is not the URL of a directory.")]
    [InlineData("https://", "is not the URL of a directory.")]
    public void Build_InvalidDirectoryUrl_ReasonAndFix(string url, string expected)
    {
        var problem = Assert.Single(TestFacts.Problems(options => options.DirectoryUrl = url));

        Assert.StartsWith($"AcmeHttps:DirectoryUrl = '{url}': {expected}", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://ca.corp/dir\nx")]
    [InlineData("https://ca.corp/d\tir")]
    [InlineData("https://ca.corp/a dir")]
    [InlineData("https://ca.corp/\u202edir")]
    [InlineData("https://ca.corp/dir\u200b")]
    [InlineData("https://ca.corp/dir#top")]
    [InlineData("https://ca.corp:0/dir")]
    public void Build_DirectoryUrlWithWhatWasPastedBeside_IsReported(string url)
    {
        var problem = Assert.Single(TestFacts.Problems(options => options.DirectoryUrl = url));

        const string Expected = "is not the URL of a directory. Write a URL that begins with 'https://', without";
        Assert.Contains(Expected, problem, StringComparison.Ordinal);
        Assert.DoesNotContain(problem, c => char.IsControl(c) || c is '\u202e' or '\u200b');
    }

    [Theory]
    [InlineData("https://user:s3cret@ca.corp/dir")]
    [InlineData("https://user:s3cret@/dir")]
    public void Build_UrlWithPassword_IsNotQuoted(string url)
        => Assert.DoesNotContain(
            "s3cret", Assert.Single(TestFacts.Problems(options => options.DirectoryUrl = url)), StringComparison.Ordinal);

    [Fact]
    public void Build_SeveralAuthorities_InOrderWithTheirOwnSettings()
    {
        var snapshot = TestFacts.Snapshot(options =>
        {
            options.EmailAddress = "all@example.com";
            options.Authorities =
            [
                new() { DirectoryUrl = "LetsEncrypt", Profile = "tlsserver", PreferredChain = "ISRG Root X1" },
                new()
                {
                    DirectoryUrl = "ZeroSsl",
                    EmailAddress = "zero@example.com",
                    ExternalAccountBinding = new() { KeyId = "k", HmacKey = Hmac },
                },
            ];
        });

        Assert.Equal(["letsencrypt", "zerossl"], snapshot.Authorities.Select(authority => authority.Id));
        Assert.Equal(["all@example.com", "zero@example.com"], snapshot.Authorities.Select(authority => authority.EmailAddress));
        Assert.Equal(("tlsserver", "ISRG Root X1"), (snapshot.Authorities[0].Profile, snapshot.Authorities[0].PreferredChain));
        Assert.Equal(16, snapshot.Authorities[1].ExternalAccountBinding?.HmacKey.Length);
    }

    [Fact]
    public void Build_ShorthandAndList_ProblemForEachKey()
    {
        var problems = TestFacts.Problems(options =>
        {
            (
                options.DirectoryUrl,
                options.TrustedRootsPath,
                options.Profile,
                options.PreferredChain) = ("LetsEncrypt", "/roots.pem", "p", "c");
            options.ExternalAccountBinding = new() { KeyId = "k", HmacKey = Hmac };
            options.Authorities = [new() { DirectoryUrl = "LetsEncrypt" }];
        });

        Assert.Equal(5, problems.Length);
        Assert.All(problems, problem => Assert.Contains("is set in addition to Authorities", problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Build_AuthorityWithoutUrl_IsAProblem()
        => Assert.StartsWith(
            "AcmeHttps:Authorities:0:DirectoryUrl: is missing.",
            Assert.Single(TestFacts.Problems(options => options.Authorities = [new()])),
            StringComparison.Ordinal);

    [Fact]
    public void Build_AuthorityTwice_IsAProblem()
        => Assert.Equal(
            [
                "AcmeHttps:Authorities:1:DirectoryUrl = 'https://acme-v02.api.letsencrypt.org/directory': is listed twice. Remove "
                    + "one of them."],
            TestFacts.Problems(
                options => options.Authorities = [
                    new() { DirectoryUrl = "LetsEncrypt" }, new() { DirectoryUrl = "https://acme-v02.api.letsencrypt.org/directory" }]));

    [Theory]
    [InlineData("ZeroSsl")]
    [InlineData("GoogleTrustServices")]
    [InlineData("SslComRsa")]
    [InlineData("SslComEcc")]
    [InlineData("Actalis")]
    public void Build_ExternalAccountBindingNeededAndAbsent_IsAProblem(string name)
        => Assert.Equal(
            [
                $"AcmeHttps:ExternalAccountBinding: is required by {name}. Get a key identifier and an HMAC key from {name}, and set "
                    + "KeyId and HmacKey."],
            TestFacts.Problems(options => (options.DirectoryUrl, options.EmailAddress) = (name, "a@example.com")));

    [Fact]
    public void Build_EmailNeededAndAbsent_IsAProblem()
        => Assert.Equal(
            ["AcmeHttps:EmailAddress: is required by ZeroSsl. Write the address for its notices."],
            TestFacts.Problems(
                options => (options.DirectoryUrl, options.ExternalAccountBinding) = ("ZeroSsl", new() { KeyId = "k", HmacKey = Hmac })));

    [Fact]
    public void Build_ServeOnly_NeedsNothingToOrderWith()
        => Assert.Empty(
            TestFacts.Problems(
                options => (
                    options.DirectoryUrl, options.Issuance, options.AcceptTermsOfService) = ("ZeroSsl", IssuanceMode.ServeOnly, false)));

    [Fact]
    public void Build_TermsNotAccepted_IsAProblem()
        => Assert.Equal(
            [
                "AcmeHttps:AcceptTermsOfService = 'false': no certificate can be ordered from LetsEncrypt until its terms of service "
                    + "are accepted. Read the terms, then write true."],
            TestFacts.Problems(options => options.AcceptTermsOfService = false));

    [Fact]
    public void Build_TermsNotAcceptedAndNoNames_Allowed()
        => Assert.Empty(TestFacts.Problems(options => (options.AcceptTermsOfService, options.DomainNames) = (false, [])));
}
