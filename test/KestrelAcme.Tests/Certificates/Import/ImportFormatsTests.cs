using System.Security.Cryptography;
using KestrelAcme.Certificates.Import;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Import;

public sealed class ImportFormatsTests : IDisposable
{
    private static readonly Uri Directory = new("https://ca.example:9000/acme/directory");
    private static readonly Uri AccountUrl = new("https://ca.example:9000/acme/account/7");

    private readonly TemporaryFolder _folder = new();
    private readonly TestAuthority _authority = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> AccountKeys => ["P-256", "P-384", "RSA"];

    [Theory]
    [MemberData(nameof(AccountKeys))]
    public void Read_Certbot_HasTheCertificateAndTheAccountThatRenewsIt(string kind)
    {
        using var key = CreateKey(kind);
        SampleImports.WriteCertbot(_folder, "site", _authority.Issue("app.test"), Directory);
        SampleImports.WriteCertbotAccount(_folder, Directory, "0a", SampleImports.Jwk(key), AccountUrl, "2024-01-01T00:00:00Z");
        SampleImports.WriteCertbotAccount(
            _folder, Directory, "0b", SampleImports.Jwk(CreateKey("RSA")), new Uri("https://ca.example/b"), "2025-01-01T00:00:00Z");

        var scan = Read();

        Assert.Empty(scan.Problems);
        var certificate = Assert.Single(scan.Certificates).Snapshot.Record;
        Assert.Equal((Directory, AccountUrl), (certificate.Metadata.DirectoryUrl, certificate.Metadata.AccountUrl));
        Assert.Equal((2, "EcdsaP256"), (certificate.Chain.Count, certificate.Metadata.KeyAlgorithm));
        Assert.Equal(AccountUrl, scan.Accounts[0].Url);
        using var read = AccountKey.FromPem(scan.Accounts[0].KeyPem);
        Assert.True(read.IsSameKey(key));
    }

    // The lengths of numbers vary: with many keys, some begin with a zero.
    [Fact]
    public void PemOfJwk_NumbersWithoutLeadingZeros_IsTheKey()
    {
        for (var i = 0; i < 600; i++)
        {
            using var key = CreateKey("P-256");
            using var jwk = System.Text.Json.JsonDocument.Parse(SampleImports.Jwk(key));

            using var read = AccountKey.FromPem(ImportedKeys.PemOfJwk(jwk.RootElement));

            Assert.True(read.IsSameKey(key));
        }
    }

    [Fact]
    public void Read_LettuceEncrypt_HasCertificatesAndTheKeyOfTheAccount()
    {
        using var key = AccountKey.Generate();
        SampleImports.WriteLettuceEncrypt(_folder, _authority.Issue("app.test"), "secret");
        SampleImports.WriteLettuceEncryptAccount(_folder, Directory, key.ExportPkcs8Pem());

        var scan = Read(new ImportSpecification(_folder.Path, null, "secret"));

        Assert.Empty(scan.Problems);
        Assert.Equal(Directory, Assert.Single(scan.Certificates).Snapshot.Record.Metadata.DirectoryUrl);
        var account = Assert.Single(scan.Accounts);
        Assert.Equal((Directory, null), (account.DirectoryUrl, account.Url));
        using var read = AccountKey.FromPem(account.KeyPem);
        Assert.Equal(key.Thumbprint, read.Thumbprint);
    }

    [Fact]
    public void Read_LettuceEncryptWithLinksInACircle_EndsAndHasTheAccount()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a privilege there.");
        using var key = AccountKey.Generate();
        SampleImports.WriteLettuceEncrypt(_folder, _authority.Issue("app.test"), "secret");
        SampleImports.WriteLettuceEncryptAccount(_folder, Directory, key.ExportPkcs8Pem());

        // Each path through them is a folder of its own: there are 2 to the power of 40.
        File.CreateSymbolicLink(_folder.Combine("accounts", "a"), ".");
        File.CreateSymbolicLink(_folder.Combine("accounts", "b"), ".");

        var scan = Read(new ImportSpecification(_folder.Path, null, "secret"));

        Assert.Empty(scan.Problems);
        Assert.Equal(Directory, Assert.Single(scan.Accounts).DirectoryUrl);
        Assert.Equal(Directory, Assert.Single(scan.Certificates).Snapshot.Record.Metadata.DirectoryUrl);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("wrong")]
    public void Read_LettuceEncryptWithoutThePassword_SaysSo(string? password)
    {
        SampleImports.WriteLettuceEncrypt(_folder, _authority.Issue("app.test"), "secret");

        var scan = Read(new ImportSpecification(_folder.Path, null, password));

        Assert.Empty(scan.Certificates);
        Assert.Contains("Password", Assert.Single(scan.Problems).Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_LettuceEncryptPasswordFile_IsUsed()
    {
        SampleImports.WriteLettuceEncrypt(_folder, _authority.Issue("app.test"), "secret");
        var path = _folder.Write("password", "secret\n");

        Assert.Single(Read(new ImportSpecification(_folder.Path, null, PasswordPath: path)).Certificates);
    }

    [Fact]
    public void Read_AutoHttps_KnowsTheAuthorityByTheNames()
    {
        using var key = AccountKey.Generate();
        SampleImports.WriteAutoHttps(_folder, _authority.Issue("www.test", "app.test"), Directory);
        SampleImports.WriteAutoHttpsAccount(_folder, Directory, "admin@example.com", key.ExportPkcs8Pem());

        var scan = Read();

        Assert.Empty(scan.Problems);
        Assert.Equal(Directory, Assert.Single(scan.Certificates).Snapshot.Record.Metadata.DirectoryUrl);
        using var read = AccountKey.FromPem(Assert.Single(scan.Accounts).KeyPem);
        Assert.Equal(key.Thumbprint, read.Thumbprint);
    }

    [Fact]
    public void Read_AutoHttpsAccountOfAnotherAddress_IsNotGuessed()
    {
        SampleImports.WriteAutoHttpsAccount(_folder, Directory, "other@example.com", AccountKey.Generate().ExportPkcs8Pem());

        var scan = Read();

        Assert.Empty(scan.Accounts);
        Assert.Contains("EmailAddress", Assert.Single(scan.Problems).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_PoshAcme_HasTheCertificateAndTheAccountInUse()
    {
        using var key = CreateKey("P-256");
        SampleImports.WritePoshAcme(_folder, _authority.Issue("app.test"), Directory, SampleImports.Jwk(key), AccountUrl);

        var scan = Read();

        Assert.Empty(scan.Problems);
        Assert.Equal(AccountUrl, Assert.Single(scan.Accounts).Url);
        Assert.Equal(AccountUrl, Assert.Single(scan.Certificates).Snapshot.Record.Metadata.AccountUrl);
    }

    [Theory]
    [InlineData("https://acme-v02.api.letsencrypt.org/directory", "acme-v02.api.letsencrypt.org-directory")]
    [InlineData("https://127.0.0.1:14000/dir", "127.0.0.1-14000-dir")]
    [InlineData("https://acme.zerossl.com/v2/DV90", "acme.zerossl.com-v2-dv90")]
    public void FolderOf_Directory_IsCaddys(string directory, string folder)
        => Assert.Equal(folder, CaddyFolder.FolderOf(new Uri(directory)));

    [Fact]
    public void Read_CaddyWithSeveralIssuers_KnowsTheAuthorityOfEach()
    {
        var other = new Uri("https://other.example/dir");
        SampleImports.WriteCaddy(_folder, _authority.Issue("app.test"), CaddyFolder.FolderOf(Directory), Directory);
        SampleImports.WriteCaddy(_folder, _authority.Issue("app.test"), "acme.zerossl.com-v2-dv90");
        SampleImports.WriteCaddy(_folder, _authority.Issue("app.test"), "acme-staging-v02.api.letsencrypt.org-directory");
        SampleImports.WriteCaddy(_folder, _authority.Issue("app.test"), "other.example-dir", other);
        SampleImports.WriteCaddy(_folder, _authority.Issue("app.test"), "unknown");
        SampleImports.WriteCaddy(_folder, _authority.Issue("app.test"), "local");

        var scan = Read();

        Assert.Empty(scan.Problems);
        Assert.Equal(
            new[]
            {
                Directory.AbsoluteUri, "https://acme-staging-v02.api.letsencrypt.org/directory", "https://acme.zerossl.com/v2/DV90",
                other.AbsoluteUri, CertificateMetadata.UnknownUrl.AbsoluteUri,
            }.Order(StringComparer.Ordinal),
            scan.Certificates.Select(c => c.Snapshot.Record.Metadata.DirectoryUrl.AbsoluteUri).Order(StringComparer.Ordinal));
        Assert.Single(scan.Certificates, c => c.Snapshot.IsFromStaging);
    }

    [Fact]
    public void Read_CertbotWithoutRenewalConfiguration_HasTheCertificateAndTheNewestAccount()
    {
        SampleImports.WriteCertbot(_folder, "app.test-0001", _authority.Issue("app.test"), Directory);
        File.Delete(_folder.Combine("renewal", "app.test-0001.conf"));
        using var key = CreateKey("P-256");
        SampleImports.WriteCertbotAccount(
            _folder, Directory, "0a", SampleImports.Jwk(CreateKey("RSA")), AccountUrl, "2024-01-01T00:00:00Z");
        SampleImports.WriteCertbotAccount(_folder, Directory, "0b", SampleImports.Jwk(key), AccountUrl, "2025-01-01T00:00:00Z");
        _folder.Write("live/README", "This directory contains your keys and certificates.");
        System.IO.Directory.CreateSymbolicLink(_folder.Combine("live", "gone"), "../nowhere");

        var scan = Read();

        Assert.Empty(scan.Problems);
        Assert.Equal(CertificateMetadata.UnknownUrl, Assert.Single(scan.Certificates).Snapshot.Record.Metadata.DirectoryUrl);
        using var read = AccountKey.FromPem(scan.Accounts[0].KeyPem);
        Assert.True(read.IsSameKey(key));
    }

    [Theory]
    [InlineData("ec")]
    [InlineData("rsa")]
    [InlineData("windows")]
    public void Read_KeyInAnotherForm_IsRead(string form)
    {
        using var key = CreateKey(form == "rsa" ? "RSA" : "P-256");
        SampleImports.WriteCertbot(_folder, "app", _authority.Issue(["app.test"], key), Directory);
        var pem = key is RSA rsa ? rsa.ExportRSAPrivateKeyPem() : ((ECDsa)key).ExportECPrivateKeyPem();

        // As 'openssl ecparam -genkey' writes it: with the parameters before it.
        _folder.Write("archive/app/privkey1.pem", form switch
        {
            "ec" => $"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{pem}\n",
            "rsa" => pem,
            _ => $"\ufeff{pem.ReplaceLineEndings("\r\n")}\r\n",
        });

        var scan = Read();

        Assert.Empty(scan.Problems);
        Assert.Single(scan.Certificates);
    }

    [Fact]
    public void Read_StagingIssuer_IsRecognizedByItsName()
    {
        SampleImports.WriteLettuceEncrypt(_folder, new TestAuthority("(STAGING) Pretend").Issue("app.test"));

        var imported = Assert.Single(Read().Certificates);

        Assert.True(imported.Snapshot.IsFromStaging);
    }

    [Fact]
    public void Read_OtherNames_AreCountedAndLeftAlone()
    {
        SampleImports.WriteCertbot(_folder, "other", _authority.Issue("other.test"), Directory);
        File.Delete(_folder.Combine("archive", "other", "privkey1.pem"));

        var scan = Read();

        Assert.Empty(scan.Problems);
        Assert.Equal((0, 1), (scan.Certificates.Count, scan.Foreign));
    }

    public static TheoryData<string, string> Damages => new()
    {
        { "cut", "cut off" },
        { "otherkey", "belongs to its private key" },
        { "keycut", "private key" },
        { "nokey", "does not exist" },
        { "dangling", "does not exist" },
        { "empty", "no certificate" },
        { "large", "bytes" },
        { "pipe", "pipe" },
        { "account", "account key" },
        { "json", "JSON" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void Read_Damaged_IsOneProblemAndTheRestIsRead(string damage, string reason)
    {
        SampleImports.WriteCertbot(_folder, "app", _authority.Issue("app.test"), Directory);
        SampleImports.WriteCertbot(_folder, "www", _authority.Issue("www.test"), Directory);
        SampleImports.WriteCertbotAccount(
            _folder, Directory, "0a", SampleImports.Jwk(CreateKey("RSA")), AccountUrl, "2024-01-01T00:00:00Z");
        var (chain, key) = (_folder.Combine("archive", "app", "fullchain1.pem"), _folder.Combine("archive", "app", "privkey1.pem"));
        var account = _folder.Combine("accounts", "ca.example:9000", "acme", "directory", "0a", "private_key.json");
        Damage(damage, chain, key, account);

        var scan = Read();

        var problem = Assert.Single(scan.Problems);
        Assert.Contains(reason, problem.Reason, StringComparison.Ordinal);
        Assert.NotEmpty(problem.Fix);
        Assert.DoesNotContain("PRIVATE", $"{problem}", StringComparison.Ordinal);
        Assert.Contains(scan.Certificates, c => c.Snapshot.Record.Metadata.Names is ["www.test"]);
        Assert.Equal(damage is not ("account" or "json"), scan.Accounts.Count == 1);
    }

    // Certbot's links lead to the real folder's neighbors.
    [Fact]
    public void Read_CertbotFolderBehindALink_FollowsItsLinksFromWhereItIs()
    {
        using var moved = new TemporaryFolder();
        SampleImports.WriteCertbot(moved, "app", _authority.Issue("app.test"), Directory);
        System.IO.Directory.CreateDirectory(_folder.Combine("renewal"));
        File.CreateSymbolicLink(_folder.Combine("live"), moved.Combine("live"));

        var scan = Read();

        Assert.Empty(scan.Problems);
        Assert.Single(scan.Certificates);
    }

    [Fact]
    public void Read_FolderGone_IsOneProblem()
        => Assert.Contains(
            "does not exist",
            Assert.Single(Read(new ImportSpecification(_folder.Combine("gone"), ImportKind.Certbot)).Problems).Reason,
            StringComparison.Ordinal);

    [Theory]
    [InlineData(null)]
    [InlineData(ImportKind.Caddy)]
    public void Read_NothingOfAClient_SaysWhatWasExpected(ImportKind? kind)
    {
        _folder.Write("readme.txt", "nothing");

        Assert.Contains(
            "Caddy", Assert.Single(Read(new ImportSpecification(_folder.Path, kind)).Problems).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_Secrets_AreNotShown()
    {
        var specification = new ImportSpecification("/p", null, "secret", "/secret");
        var account = new ImportedAccount("/p", Directory, "secret", AccountUrl);
        var options = new ImportOptions { Path = "/p", Password = "secret" };

        Assert.DoesNotContain("secret", $"{specification} {account} {options}", StringComparison.Ordinal);
    }

    private static void Damage(string damage, string chain, string key, string account)
    {
        switch (damage)
        {
            case "cut":
                File.WriteAllText(chain, File.ReadAllText(chain)[..^200]);
                break;
            case "otherkey":
                File.WriteAllText(key, SampleImports.KeyPem(CertificateKeys.Generate(KeyAlgorithm.EcdsaP256)));
                break;
            case "keycut":
                File.WriteAllText(key, File.ReadAllText(key)[..100]);
                break;
            case "nokey":
                File.Delete(key);
                break;
            case "dangling":
                File.Delete(chain);
                break;
            case "empty":
                File.WriteAllText(chain, "");
                break;
            case "large":
                File.WriteAllText(chain, new string('x', 2_000_000));
                break;
            case "pipe":
                File.Delete(chain);
                using (var made = System.Diagnostics.Process.Start("mkfifo", chain))
                {
                    made.WaitForExit();
                }

                break;
            case "account":
                File.WriteAllText(account, """{ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "d": "AA" }""");
                break;
            default:
                File.WriteAllText(account, "{ \"kty\": \"RSA\", \"d\": \"PRIVATE");
                break;
        }
    }

    private ImportScan Read(ImportSpecification? import = null) => ImportFormats.Read(
        import ?? new ImportSpecification(_folder.Path, null),
        [
            new AuthoritySpecification
            {
                Id = "ca", DisplayName = "CA", DirectoryUrl = Directory, IsPublic = false, EmailAddress = "admin@example.com",
            },
        ],
        new HashSet<string>(StringComparer.Ordinal) { "app.test", "www.test" });

    private static AsymmetricAlgorithm CreateKey(string kind) => kind switch
    {
        "P-256" => ECDsa.Create(ECCurve.NamedCurves.nistP256),
        "P-384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
        _ => RSA.Create(2048),
    };
}
