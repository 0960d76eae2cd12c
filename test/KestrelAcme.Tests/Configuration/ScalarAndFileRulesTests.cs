using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class ScalarAndFileRulesTests
{
    [Theory]
    [InlineData("admin@example.com")]
    [InlineData("first.last+acme@bücher.example")]
    public void Build_GoodEmail_Allowed(string address)
        => Assert.Equal(address, TestFacts.Snapshot(options => options.EmailAddress = address).Authorities[0].EmailAddress);

    [Theory]
    [InlineData("admin", "is not an e-mail address. Write one address, such as 'admin@example.com'.")]
    [InlineData("@example.com", "is not an e-mail address.")]
    [InlineData("a@", "is not an e-mail address.")]
    [InlineData("a@b@example.com", "is not an e-mail address.")]
    [InlineData("a@example.com,b@example.com", "is not an e-mail address.")]
    [InlineData("a b@example.com", "is not an e-mail address.")]
    [InlineData("a@example.com?subject=x", "is not an e-mail address.")]
    [InlineData("mailto:a@example.com", "is a URL, not an e-mail address. Write 'a@example.com'.")]
    public void Build_BadEmail_IsAProblem(string address, string expected)
        => Assert.StartsWith(
            $"AcmeHttps:EmailAddress = '{address}': {expected}",
            Assert.Single(TestFacts.Problems(options => options.EmailAddress = address)),
            StringComparison.Ordinal);

    [Theory]
    [InlineData(0)]
    [InlineData(101)]
    public void Build_OrdersOutOfRange_IsAProblem(int value)
        => Assert.Equal(
            [$"AcmeHttps:MaxConcurrentOrders = '{value}': is not between 1 and 100. Write a number in that range, or remove the key."],
            TestFacts.Problems(options => options.MaxConcurrentOrders = value));

    [Fact]
    public void Build_SessionCacheLargerThanContextCache_IsAProblem()
        => Assert.StartsWith(
            "AcmeHttps:SessionCacheCertificates = '200': is not between 0 and 100.",
            Assert.Single(TestFacts.Problems(options => (options.ContextCacheSize, options.SessionCacheCertificates) = (100, 200))),
            StringComparison.Ordinal);

    [Fact]
    public void Build_UndefinedEnums_AreProblems()
    {
        var problems = TestFacts.Problems(options =>
        {
            options.KeyAlgorithm = (KeyAlgorithm)77;
            options.Issuance = (IssuanceMode)77;
            options.MissingCertificate = (MissingCertificate)77;
        });

        Assert.Equal(
            ["AcmeHttps:KeyAlgorithm", "AcmeHttps:Issuance", "AcmeHttps:MissingCertificate"],
            problems.Select(problem => problem.Split(' ')[0]));
    }

    [Theory]
    [InlineData("http01", "Did you mean 'http-01'?")]
    [InlineData("dns", "Did you mean 'dns-01'?")]
    [InlineData("tls-alpn", "Did you mean 'tls-alpn-01'?")]
    [InlineData("email", "Write one of")]
    [InlineData("", "Write one of")]
    [InlineData("not a type", "Write one of")]
    public void Build_BadChallengeType_IsAProblem(string type, string fix)
    {
        var problem = Assert.Single(TestFacts.Problems(options => options.ChallengeTypes = ["http-01", type]));

        Assert.StartsWith($"AcmeHttps:ChallengeTypes:1 = '{type}': is not a challenge type. ", problem, StringComparison.Ordinal);
        Assert.Contains(fix, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_CustomChallengeType_Allowed()
        => Assert.Equal(
            ["http-01", "mail-reply-00"],
            TestFacts.Snapshot(options => options.ChallengeTypes = ["http-01", "mail-reply-00"]).ChallengeTypes);

    [Fact]
    public void Build_EmptyLists_AreProblems()
        => Assert.Equal(
            [
                "AcmeHttps:ChallengeTypes: is empty. Write 'http-01', or remove the key.",
                "AcmeHttps:KeyAlgorithms: is empty. Write 'EcdsaP256', or remove the key."],
            TestFacts.Problems(options => (options.ChallengeTypes, options.KeyAlgorithms) = ([], [])));

    [Fact]
    public void Build_ElementTwice_IsAProblem()
        => Assert.Equal(
            [
                "AcmeHttps:ChallengeTypes:1 = 'http-01': is listed twice. Remove one of them.",
                "AcmeHttps:KeyAlgorithms:1 = 'Rsa2048': is listed twice. Remove one of them."],
            TestFacts.Problems(
                options => (
                    options.ChallengeTypes,
                    options.KeyAlgorithms) = (["http-01", "HTTP-01"], [KeyAlgorithm.Rsa2048, KeyAlgorithm.Rsa2048])));

    [Fact]
    public void Build_RelativePaths_ResolvedAgainstTheContentRoot()
    {
        var snapshot = TestFacts.Snapshot(options => (options.StoragePath, options.ExportPath) = ("data/acme/", "/export"));

        Assert.Equal(("/app/data/acme", "/export"), (snapshot.StoragePath, snapshot.ExportPath));
    }

    [Theory]
    [InlineData("/home/web/.local/share", "/home/web/.local/share/kestrel-acme")]
    [InlineData("", "/app/kestrel-acme")]
    public void Build_NoStoragePath_ApplicationDataElseContentRoot(string applicationData, string expected)
        => Assert.Equal(
            expected, TestFacts.Snapshot(facts: TestFacts.Production with { ApplicationDataPath = applicationData }).StoragePath);

    [Fact]
    public void Build_ExportIntoTheStore_IsAProblem()
        => Assert.Equal(
            ["AcmeHttps:ExportPath = '/data/': is the folder of the store. Write the path of another folder."],
            TestFacts.Problems(options => (options.StoragePath, options.ExportPath) = ("/data", "/data/")));

    [Fact]
    public void Build_RootsFile_AbsolutePathInSnapshot()
    {
        var pem = TestFacts.RootPem();
        var facts = TestFacts.Production with { ReadFile = path => path == "/app/roots.pem" ? pem : throw new FileNotFoundException() };

        Assert.Equal(
            "/app/roots.pem", TestFacts.Snapshot(options => options.TrustedRootsPath = "roots.pem", facts).Authorities[0].TrustedRootsPath);
    }

    [Theory]
    [InlineData("", "is an empty file.")]
    [InlineData("hello", "contains no PEM certificate.")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "contains a certificate that cannot be read, number 1 in the file.")]
    public void Build_RootsFileWithoutCertificates_IsAProblem(string content, string problem)
        => Assert.Contains(
            $"AcmeHttps:TrustedRootsPath = 'roots.pem': {problem}",
            Assert.Single(
                TestFacts.Problems(
                    options => options.TrustedRootsPath = "roots.pem", TestFacts.Production with { ReadFile = _ => content })),
            StringComparison.Ordinal);

    [Fact]
    public void Build_RootsFileMissing_IsAProblem()
        => Assert.StartsWith(
            "AcmeHttps:TrustedRootsPath = '/app/roots.pem': does not exist.",
            Assert.Single(TestFacts.Problems(options => options.TrustedRootsPath = "roots.pem")),
            StringComparison.Ordinal);

    [Fact]
    public void Build_RootsFileUnreadable_IsAProblem()
        => Assert.StartsWith(
            "AcmeHttps:TrustedRootsPath = '/roots.pem': cannot be read (Permission denied).",
            Assert.Single(TestFacts.Problems(
                options => options.TrustedRootsPath = "/roots.pem",
                TestFacts.Production with { ReadFile = _ => throw new UnauthorizedAccessException("Permission denied.") })),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("s3cret")]
    [InlineData("/s3cret/abc+/s3cret==")]
    [InlineData("s3cret\0")]
    public void Build_SecretInsteadOfItsFile_NeverQuoted(string secret)
    {
        Exception[] answers = [
            new FileNotFoundException("Could not find file '/app/s3cret'."),
            new UnauthorizedAccessException("Access to '/app/s3cret' is denied."),
            new IOException("File name too long: s3cret")];
        foreach (var answer in answers)
        {
            var facts = TestFacts.Production with
            {
                DnsProviderTypes = [new DnsProviderType("Test", [new DnsProviderKey("Token", Required: true, Secret: true)])],
                ReadFile = _ => throw answer,
            };
            var problems = TestFacts.Problems(
                options =>
                {
                    options.ExternalAccountBinding = new() { KeyId = "kid", HmacKeyFile = secret };
                    options.DnsProviders = [new DnsProviderOptions { Type = "Test", Settings = { ["TokenFile"] = secret } }];
                },
                facts);

            Assert.InRange(problems.Length, 2, 3);
            Assert.All(problems, problem => Assert.DoesNotContain("s3cret", problem, StringComparison.Ordinal));
            Assert.Contains(problems, problem => problem.StartsWith("AcmeHttps:DnsProviders:0:TokenFile: ", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("s3cret!!!")]
    [InlineData("s3cret")]
    public void Build_HmacKey_NeverQuoted(string key)
    {
        var options = TestFacts.Good(options => options.ExternalAccountBinding = new() { HmacKey = key });
        var result = AcmeHttpsOptionsReader.Build(options, TestFacts.Production);

        Assert.NotEmpty(result.Problems);
        Assert.DoesNotContain(result.Problems, problem => problem.ToString().Contains("s3cret", StringComparison.Ordinal));
        Assert.DoesNotContain("s3cret", options.ExternalAccountBinding!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Build_HmacKeyNotBase64Url_IsAProblem()
        => Assert.StartsWith(
            "AcmeHttps:ExternalAccountBinding:HmacKey: is not base64url",
            Assert.Single(TestFacts.Problems(options => options.ExternalAccountBinding = new() { KeyId = "k", HmacKey = "a+b/" })),
            StringComparison.Ordinal);

    [Fact]
    public void Build_HmacKeyInAFile_IsRead()
    {
        var facts = TestFacts.Production with { ReadFile = _ => "AAEC\n" };

        var binding = TestFacts.Snapshot(
            options => options.ExternalAccountBinding = new() { KeyId = "k", HmacKeyFile = "/run/secrets/hmac" },
            facts).Authorities[0].ExternalAccountBinding;

        Assert.Equal([0, 1, 2], binding!.HmacKey.ToArray());
        Assert.Equal("external account 'k'", binding.ToString());
    }

    [Fact]
    public void Build_HmacKeyTwiceOrNever_IsAProblem()
    {
        Assert.Contains(
            "is set in addition to HmacKey",
            Assert.Single(
                TestFacts.Problems(options => options.ExternalAccountBinding = new() { KeyId = "k", HmacKey = "AAEC", HmacKeyFile = "f" })),
            StringComparison.Ordinal);
        Assert.Contains(
            ":HmacKey: is missing",
            Assert.Single(TestFacts.Problems(options => options.ExternalAccountBinding = new() { KeyId = "k" })),
            StringComparison.Ordinal);
        Assert.Contains(
            ":KeyId: is missing",
            Assert.Single(TestFacts.Problems(options => options.ExternalAccountBinding = new() { HmacKey = "AAEC" })),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Build_LocalAddresses_Normalized()
    {
        var snapshot = TestFacts.Snapshot(options =>
        {
            options.DefaultServerName = "Example.com";
            options.LocalAddressNames["::ffff:10.0.0.5"] = "WWW.example.com";
            options.LocalAddressNames["[fd00::5]"] = "8.8.8.8";
        });

        Assert.Equal("example.com", snapshot.DefaultServerName?.Value);
        Assert.Equal(
            ["10.0.0.5 www.example.com", "fd00::5 8.8.8.8"], snapshot.LocalAddressNames.Select(entry => $"{entry.Address} {entry.Name}"));
    }

    [Fact]
    public void Build_BadLocalAddresses_AreProblems()
        => Assert.Equal(
            [
                "AcmeHttps:DefaultServerName = 'a b': is more than one name. Write each name as a separate element.",
                "AcmeHttps:LocalAddressNames:eth0 = 'a.example': has a key that is not an IP address. Write the local IP address as "
                    + "the key, the name as the value.",
                "AcmeHttps:LocalAddressNames:10.0.0.1 = 'http://a.example': is a URL, not a domain name. Write 'a.example'.",
            ],
            TestFacts.Problems(options =>
            {
                options.DefaultServerName = "a b";
                options.LocalAddressNames["eth0"] = "a.example";
                options.LocalAddressNames["10.0.0.1"] = "http://a.example";
            }));

    [Fact]
    public void Build_Disabled_ChecksNothing()
    {
        var result = AcmeHttpsOptionsReader.Build(
            TestFacts.Good(options => (options.Enabled, options.DomainNames) = (false, ["a b"])), TestFacts.Production);

        Assert.True(result.IsValid);
        Assert.False(result.Snapshot.Enabled);
    }

    [Fact]
    public void Build_SameOptionsTwice_EqualSnapshots()
    {
        static void Rich(AcmeHttpsOptions options)
        {
            options.Certificates = [new() { DomainNames = ["a.example.com", "b.example.com"] }];
            options.LocalAddressNames["10.0.0.1"] = "example.com";
            options.ExternalAccountBinding = new() { KeyId = "k", HmacKey = "AAEC" };
        }

        Assert.Equal(TestFacts.Snapshot(Rich), TestFacts.Snapshot(Rich));
        Assert.NotEqual(TestFacts.Snapshot(Rich), TestFacts.Snapshot(options =>
        {
            Rich(options);
            options.ExternalAccountBinding!.HmacKey = "AAED";
        }));
    }

    [Theory]
    [InlineData("600")]
    [InlineData("0640")]
    [InlineData("440")]
    public void ExportFileMode_ForOwnerAndGroup_Used(string text)
        => Assert.Equal(
            (UnixFileMode)Convert.ToInt32(text, 8), TestFacts.Snapshot(options => options.ExportFileMode = text).ExportFileMode);

    [Theory]
    [InlineData("644")]
    [InlineData("660")]
    [InlineData("040")]
    [InlineData("4600")]
    [InlineData("rw-")]
    [InlineData("8")]
    [InlineData("99999999999")]
    public void ExportFileMode_TooOpenOrInvalid_IsAProblem(string text)
        => Assert.StartsWith(
            $"AcmeHttps:ExportFileMode = '{text}': is not one of 600, 640, 400 and 440",
            Assert.Single(TestFacts.Problems(options => options.ExportFileMode = text)),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("a b")]
    [InlineData("-x")]
    [InlineData("a;b")]
    public void ExportGroup_InvalidName_IsAProblem(string text)
        => Assert.StartsWith(
            $"AcmeHttps:ExportGroup = '{text}'",
            Assert.Single(TestFacts.Problems(options => options.ExportGroup = text)),
            StringComparison.Ordinal);
}
