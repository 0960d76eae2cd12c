using System.Text;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class LettuceEncryptNamesTests
{
    private readonly LogRecorder _log = new();

    [Fact]
    public void Bind_NamesInAcmeHttps_MeanTheSame()
    {
        var options = Read("""
            { "AcmeHttps": {
                "AcceptTermsOfService": true, "DomainNames": ["a.example"], "UseStagingServer": true, "KeyAlgorithm": "RS256",
                "KeySize": 4096,
                "AllowedChallengeTypes": "Http01, TlsAlpn01", "RenewDaysInAdvance": "30.00:00:00", "RenewalCheckPeriod": "1.00:00:00",
                "AdditionalIssuers": ["pem"], "EabCredentials": { "EabKeyId": "id", "EabKey": "ab+/=", "EabKeyAlg": "HS256" } } }
            """);

        Assert.Empty(options.BindingProblems);
        Assert.Equal(("LetsEncryptStaging", KeyAlgorithm.Rsa4096), (options.DirectoryUrl, options.KeyAlgorithm));
        Assert.Equal(["http-01", "tls-alpn-01"], options.ChallengeTypes);
        Assert.Equal(("id", "ab-_"), (options.ExternalAccountBinding!.KeyId, options.ExternalAccountBinding.HmacKey));
        Assert.Equal(7, options.LettuceEncryptNotes.Count);
        Assert.DoesNotContain("ab-_", string.Concat(options.LettuceEncryptNotes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ES256", KeyAlgorithm.EcdsaP256)]
    [InlineData("es384", KeyAlgorithm.EcdsaP384)]
    [InlineData("RS256", KeyAlgorithm.Rsa2048)]
    public void Bind_KeyAlgorithm_IsTranslated(string text, KeyAlgorithm expected)
        => Assert.Equal(expected, Read($$"""{ "AcmeHttps": { "KeyAlgorithm": "{{text}}" } }""").KeyAlgorithm);

    [Fact]
    public void Bind_OwnNames_Win()
    {
        var options = Read("""
            { "AcmeHttps": { "UseStagingServer": true, "DirectoryUrl": "LetsEncrypt", "AllowedChallengeTypes": "Any",
              "ChallengeTypes": ["dns-01"] } }
            """);

        Assert.Equal("LetsEncrypt", options.DirectoryUrl);
        Assert.Equal(["dns-01"], options.ChallengeTypes);
    }

    [Theory]
    [InlineData("UseStagingServers", "true")]
    [InlineData("AllowedChallengeTypes", "Ftp01")]
    [InlineData("KeyAlgorithm", "ES512")]
    [InlineData("UseStagingServer", "maybe")]
    public void Bind_WithoutTheSameMeaning_IsAProblem(string key, string value)
        => Assert.Single(Read($$"""{ "AcmeHttps": { "{{key}}": "{{value}}" } }""").BindingProblems);

    [Fact]
    public void Bind_NumberOfKeySize_IsChecked()
        => Assert.Contains(
            "KeySize",
            Assert.Single(Read("""{ "AcmeHttps": { "KeyAlgorithm": "RS256", "KeySize": 1024 } }""").BindingProblems).Key,
            StringComparison.Ordinal);

    [Fact]
    public void Read_SectionOfLettuceEncrypt_FillsWhatAcmeHttpsLacks()
    {
        var options = Read("""
            { "LettuceEncrypt": { "AcceptTermsOfService": true, "DomainNames": ["a.example", "b.example"], "EmailAddress": "a@example.com",
                "PfxPassword": "of the app" },
              "AcmeHttps": { "DomainNames": ["c.example"], "ImportFrom": "/old" } }
            """);

        Assert.Empty(options.BindingProblems);
        Assert.True(options.AcceptTermsOfService);
        Assert.Equal("a@example.com", options.EmailAddress);
        Assert.Equal(["c.example"], options.DomainNames);
        Assert.Equal("/old", Assert.Single(options.ImportFrom).Path);
        var line = Assert.Single(_log.Lines, l => l.Event.Name == "LettuceEncryptNamesRead");
        Assert.Contains("AcceptTermsOfService, EmailAddress", line.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("of the app", line.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OnlyOwnNames_LogsNothing()
    {
        Read("""{ "AcmeHttps": { "DomainNames": ["c.example"] } }""");

        Assert.Empty(_log.Lines);
    }

    [Theory]
    [InlineData("""{ "AcmeHttps": { "ImportFrom": "/a" } }""", "/a")]
    [InlineData("""{ "AcmeHttps": { "ImportFrom": ["/a", { "Path": "/b", "Kind": "caddy", "Password": "p" }] } }""", "/a /b")]
    public void Bind_ImportFrom_TakesTextsAndSections(string json, string paths)
    {
        var options = Read(json);

        Assert.Empty(options.BindingProblems);
        Assert.Equal(paths, string.Join(' ', options.ImportFrom.Select(i => i.Path)));
    }

    [Fact]
    public void Build_ImportFrom_ReportsWhatCannotBeMeant()
    {
        var problems = TestFacts.Problems(options => options.ImportFrom =
        [
            new ImportOptions(), new ImportOptions { Path = "a", Password = "p", PasswordFile = "f" },
            new ImportOptions { Path = "b", Kind = (ImportKind)77 },
        ]);

        Assert.Equal(3, problems.Length);
        Assert.Contains("ImportFrom:0:Path: is missing", problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Build_ImportFrom_ResolvesPaths()
        => Assert.Equal(
            "/app/old", Assert.Single(TestFacts.Snapshot(options => options.ImportFrom = [new() { Path = "old" }]).ImportFrom).Path);

    private AcmeHttpsOptions Read(string json)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddJsonStream(stream).Build());
        services.AddLogging(logging => logging.AddProvider(_log));
        services.AddAcmeHttpsConfiguration();
        using var provider = services.BuildServiceProvider();
        var options = new AcmeHttpsOptions();
        foreach (var configure in provider.GetServices<IConfigureOptions<AcmeHttpsOptions>>())
        {
            configure.Configure(options);
        }

        return options;
    }
}
