using System.Text;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class ConfigurationBinderTests
{
    [Fact]
    public void Bind_EveryKey_IsSet()
    {
        var options = BindJson("""
            { "AcmeHttps": {
                "Enabled": true, "AcceptTermsOfService": true, "EmailAddress": "a@example.com", "DomainNames": ["a.example", "b.example"],
                "Certificates": [{
                  "DomainNames": ["c.example"], "KeyAlgorithms": ["rsa2048"], "Profile": "p", "PreferredChain": "c",
                  "ChallengeTypes": ["dns-01"] }],
                "DirectoryUrl": "LetsEncrypt", "TrustedRootsPath": "r", "StoragePath": "s", "ChallengeTypes": ["tls-alpn-01"],
                "KeyAlgorithm": "EcdsaP384", "KeyAlgorithms": ["EcdsaP256", "Rsa4096"], "Profile": "q", "PreferredChain": "d",
                "ExternalAccountBinding": { "KeyId": "k", "HmacKey": "h", "HmacKeyFile": "f" },
                "Authorities": [{
                  "DirectoryUrl": "u", "TrustedRootsPath": "t", "ExternalAccountBinding": { "KeyId": "l" }, "Profile": "r",
                  "PreferredChain": "e", "EmailAddress": "m" }],
                "ExportPath": "e", "ExportFileMode": "640", "ExportGroup": "g", "SelfCheck": false, "AllowEphemeralStorage": true,
                "Issuance": "ServeOnly", "MissingCertificate": "Refuse", "MaxConcurrentOrders": 7, "ContextCacheSize": 70,
                "SessionCacheCertificates": 17, "DefaultServerName": "n",
                "LocalAddressNames": { "10.0.0.1": "a.example", "::1": "b.example" }, "ReuseKeys": true
            } }
            """);

        Assert.Empty(options.BindingProblems);
        Assert.True(
            options is { Enabled: true, AcceptTermsOfService: true, SelfCheck: false, AllowEphemeralStorage: true, ReuseKeys: true });
        Assert.Equal(["a.example", "b.example"], options.DomainNames);
        Assert.Equal(
            ("a@example.com", "LetsEncrypt", "r", "s", "q", "d", "e", "n"),
            (
                options.EmailAddress,
                options.DirectoryUrl,
                options.TrustedRootsPath,
                options.StoragePath,
                options.Profile,
                options.PreferredChain,
                options.ExportPath,
                options.DefaultServerName));
        Assert.Equal(("640", "g"), (options.ExportFileMode, options.ExportGroup));
        Assert.Equal((7, 70, 17), (options.MaxConcurrentOrders, options.ContextCacheSize, options.SessionCacheCertificates));
        Assert.Equal(
            (IssuanceMode.ServeOnly, MissingCertificate.Refuse, KeyAlgorithm.EcdsaP384),
            (options.Issuance, options.MissingCertificate, options.KeyAlgorithm));
        Assert.Equal([KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa4096], options.KeyAlgorithms);
        Assert.Equal(["tls-alpn-01"], options.ChallengeTypes);
        Assert.Equal(
            ("k", "h", "f"),
            (options.ExternalAccountBinding!.KeyId, options.ExternalAccountBinding.HmacKey, options.ExternalAccountBinding.HmacKeyFile));
        Assert.Equal(new Dictionary<string, string> { ["10.0.0.1"] = "a.example", ["::1"] = "b.example" }, options.LocalAddressNames);
        var certificate = Assert.Single(options.Certificates);
        Assert.Equal(
            ("c.example", KeyAlgorithm.Rsa2048, "p", "c", "dns-01"),
            (
                certificate.DomainNames[0],
                certificate.KeyAlgorithms![0],
                certificate.Profile,
                certificate.PreferredChain,
                certificate.ChallengeTypes![0]));
        var authority = Assert.Single(options.Authorities);
        Assert.Equal(
            ("u", "t", "l", "r", "e", "m"),
            (
                authority.DirectoryUrl,
                authority.TrustedRootsPath,
                authority.ExternalAccountBinding!.KeyId,
                authority.Profile,
                authority.PreferredChain,
                authority.EmailAddress));
    }

    [Fact]
    public void Bind_EveryWritableOption_HasAKey()
    {
        // Every option that code can set has a key in the configuration. A missing key would be reported as unknown.
        foreach (var property in typeof(AcmeHttpsOptions).GetProperties().Where(property => property.CanWrite))
        {
            var options = BindJson($$"""{ "AcmeHttps": { "{{property.Name}}": null, "{{property.Name}}x": 1 } }""");

            Assert.Contains($"Did you mean '{property.Name}'?", Assert.Single(options.BindingProblems).Fix, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Bind_EnvironmentVariables_ListByIndex()
    {
        const string Prefix = "KESTRELACME_BINDERTEST_";
        Environment.SetEnvironmentVariable(Prefix + "AcmeHttps__DomainNames__0", "a.example");
        Environment.SetEnvironmentVariable(Prefix + "AcmeHttps__DomainNames__10", "c.example");
        Environment.SetEnvironmentVariable(Prefix + "AcmeHttps__DomainNames__2", "b.example");
        Environment.SetEnvironmentVariable(Prefix + "AcmeHttps__AcceptTermsOfService", "True");

        var options = Bind(new ConfigurationBuilder().AddEnvironmentVariables(Prefix).Build());

        Assert.Empty(options.BindingProblems);
        Assert.Equal(["a.example", "b.example", "c.example"], options.DomainNames);
        Assert.True(options.AcceptTermsOfService);
    }

    [Fact]
    public void Bind_ListsAsOneText_SplitAtCommas()
    {
        var options = BindJson("""
            { "AcmeHttps": {
              "DomainNames": "a.example, b.example,", "ChallengeTypes": "dns-01,http-01", "KeyAlgorithms": "EcdsaP256, Rsa2048",
              "DnsResolvers": "192.0.2.1",
              "Certificates": [ { "DomainNames": "c.example,d.example" } ] } }
            """);

        Assert.Empty(options.BindingProblems);
        Assert.Equal(["a.example", "b.example"], options.DomainNames);
        Assert.Equal(["dns-01", "http-01"], options.ChallengeTypes);
        Assert.Equal([KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa2048], options.KeyAlgorithms);
        Assert.Equal(["192.0.2.1"], options.DnsResolvers);
        Assert.Equal(["c.example", "d.example"], options.Certificates[0].DomainNames);
    }

    [Fact]
    public void Bind_NamesAsKeys_AreNames()
        => Assert.Equal(
            ["a.example", "c.example"],
            BindJson("""{ "AcmeHttps": { "DomainNames": { "c.example": true, "b.example": false, "a.example": "" } } }""").DomainNames);

    [Fact]
    public void Bind_List_ReplacesThePreviousOne()
    {
        var options = new AcmeHttpsOptions
        {
            DomainNames = ["x.example"],
            ChallengeTypes = ["http-01"],
            Certificates = [new()],
            Authorities = [new()],
        };

        AcmeHttpsOptionsReader.Bind(
            Json("""
                { "AcmeHttps": {
                  "DomainNames": ["a.example"], "ChallengeTypes": ["dns-01"], "Certificates": [{ "Profile": "p" }],
                  "Authorities": [{ "Profile": "q" }] } }
                """).GetSection("AcmeHttps"),
            options);

        Assert.Equal(["a.example"], options.DomainNames);
        Assert.Equal(["dns-01"], options.ChallengeTypes);
        Assert.Equal("p", Assert.Single(options.Certificates).Profile);
        Assert.Equal("q", Assert.Single(options.Authorities).Profile);
    }

    [Theory]
    [InlineData("\"DomainNames\": []")]
    [InlineData("\"DomainNames\": \"\"")]
    public void Bind_EmptyList_Empties(string json)
    {
        var options = new AcmeHttpsOptions { DomainNames = ["x.example"] };

        AcmeHttpsOptionsReader.Bind(Json($$"""{ "AcmeHttps": { {{json}} } }""").GetSection("AcmeHttps"), options);

        Assert.Empty(options.BindingProblems);
        Assert.Empty(options.DomainNames);
    }

    [Fact]
    public void Bind_NullsAndEmptyValues_Ignored()
    {
        var options = BindJson(
            """
            { "AcmeHttps": {
              "Enabled": "", "EmailAddress": null, "DomainNames": null, "KeyAlgorithm": "", "MaxConcurrentOrders": "",
              "ExternalAccountBinding": null, "Certificates": null } }
            """);

        Assert.Empty(options.BindingProblems);
        Assert.True(options is { Enabled: true, EmailAddress: null, ExternalAccountBinding: null, MaxConcurrentOrders: 4 });
    }

    [Fact]
    public void Bind_NoSection_Defaults() => Assert.Empty(BindJson("{ }").BindingProblems);

    [Theory]
    [InlineData("\"SelfCheck\": \"yes\"", "AcmeHttps:SelfCheck = 'yes': is not a boolean. Write true or false.")]
    [InlineData("\"MaxConcurrentOrders\": \"4.5\"", "AcmeHttps:MaxConcurrentOrders = '4.5': is not a whole number. Write only digits.")]
    [
        InlineData(
            "\"MaxConcurrentOrders\": 99999999999",
            "AcmeHttps:MaxConcurrentOrders = '99999999999': is not a whole number. Write only digits.")]
    [
        InlineData(
            "\"KeyAlgorithm\": 77",
            "AcmeHttps:KeyAlgorithm = '77': is not one of EcdsaP256, EcdsaP384, Rsa2048, Rsa3072, Rsa4096. Write one of them.")]
    [
        InlineData(
            "\"KeyAlgorithm\": 1",
            "AcmeHttps:KeyAlgorithm = '1': is not one of EcdsaP256, EcdsaP384, Rsa2048, Rsa3072, Rsa4096. Write one of them.")]
    [
        InlineData(
            "\"KeyAlgorithms\": [\"EcdsaP256\", \"ECDSA-P384\"]",
            "AcmeHttps:KeyAlgorithms:1 = 'ECDSA-P384': is not one of EcdsaP256, EcdsaP384, Rsa2048, Rsa3072, Rsa4096. Did you mean "
                + "'EcdsaP384'?")]
    [InlineData("\"Issuance\": \"Serve\"", "AcmeHttps:Issuance = 'Serve': is not one of Automatic, ServeOnly. Write one of them.")]
    [
        InlineData(
            "\"EmailAddress\": [\"a@example.com\"]",
            "AcmeHttps:EmailAddress: is a list or a section, not a single value. Write only the value.")]
    [
        InlineData(
            "\"DomainNames\": [{ \"Name\": \"a\" }]",
            "AcmeHttps:DomainNames:0: is a list or a section, not a single value. Write only the value.")]
    [
        InlineData(
            "\"DomainNames\": { \"first\": \"a\" }",
            "AcmeHttps:DomainNames:first = 'a': is neither true nor false. Write \"a.example\": true, or false to remove the name.")]
    [
        InlineData(
            "\"Certificates\": \"a.example\"",
            "AcmeHttps:Certificates: is a single value, not a list. Write [\"...\", \"...\"] in JSON, or "
                + "AcmeHttps__Certificates__0, AcmeHttps__Certificates__1 and so on in the environment.")]
    [
        InlineData(
            "\"DnsProviders\": \"[{ 'Type': 'Cloudflare', 'ApiToken': 's3cret' }]\"",
            "AcmeHttps:DnsProviders: is a single value, not a list. Write [\"...\", \"...\"] in JSON, or "
                + "AcmeHttps__DnsProviders__0, AcmeHttps__DnsProviders__1 and so on in the environment.")]
    [
        InlineData(
            "\"ImportFrom\": \"[{ 'Path': '/etc/letsencrypt', 'Password': 's3cret' }]\"",
            "AcmeHttps:ImportFrom: is a single value, not a list. Write [\"...\", \"...\"] in JSON, or "
                + "AcmeHttps__ImportFrom__0, AcmeHttps__ImportFrom__1 and so on in the environment.")]
    [
        InlineData(
            "\"Certificates\": [\"a.example\"]",
            "AcmeHttps:Certificates:0: is a single value, not a section with keys. Write { \"key\": \"value\" } in JSON.")]
    [InlineData("\"DomainName\": \"a.example\"", "AcmeHttps:DomainName: is not a known key. Did you mean 'DomainNames'?")]
    [
        InlineData(
            "\"Certificates\": [{ \"DomainName\": \"a\" }]",
            "AcmeHttps:Certificates:0:DomainName: is not a known key. Did you mean 'DomainNames'?")]
    [
        InlineData(
            "\"Authorities\": [{ \"Url\": \"u\" }]",
            "AcmeHttps:Authorities:0:Url: is not a known key. Remove it. Known keys: AccountKeyFile, DirectoryUrl, EmailAddress, "
                + "ExternalAccountBinding, PreferredChain, Profile, TrustedRootsPath.")]
    [
        InlineData(
            "\"DnsProviders\": [\"Cloudflare\"]",
            "AcmeHttps:DnsProviders:0: is a single value, not a section with keys. Write { \"key\": \"value\" } in JSON.")]
    [
        InlineData(
            "\"DnsProviders\": [{ \"Type\": \"x\", \"MinimumWait\": 60 }]",
            "AcmeHttps:DnsProviders:0:MinimumWait = '60': is not a duration. Write hours, minutes and seconds, such as 00:05:00 for "
                + "five minutes.")]
    public void Bind_Invalid_OneProblemWithKeyValueAndFix(string json, string expected)
        => Assert.Equal([expected], BindJson($$"""{ "AcmeHttps": { {{json}} } }""").BindingProblems.Select(problem => problem.ToString()));

    [Theory]
    [InlineData("\"ExternalAccountBinding\": \"s3cret\"")]
    [InlineData("\"ExternalAccountBinding\": { \"HmcKey\": \"s3cret\" }")]
    [InlineData("\"ExternalAccountBinding\": { \"HmacKey\": { \"Value\": \"s3cret\" } }")]
    [InlineData("\"ExternalAccountBinding\": [\"s3cret\"]")]
    [InlineData("\"HmacKey\": \"s3cret\"")]
    public void Bind_MisplacedSecret_IsReportedAndNotQuoted(string json)
    {
        var problems = BindJson($$"""{ "AcmeHttps": { {{json}} } }""").BindingProblems;

        Assert.NotEmpty(problems);
        Assert.DoesNotContain(problems, problem => problem.ToString().Contains("s3cret", StringComparison.Ordinal));
    }

    [Fact]
    public void Bind_SectionIsAValue_IsAProblem()
        => Assert.StartsWith(
            "AcmeHttps: is a single value",
            Assert.Single(BindJson("""{ "AcmeHttps": "example.com" }""").BindingProblems).ToString(),
            StringComparison.Ordinal);

    [Fact]
    public void Bind_ManyBad_CollectsAll()
        => Assert.Equal(
            4,
            BindJson("""{ "AcmeHttps": { "Enabled": "x", "SelfCheck": "x", "KeyAlgorithm": "x", "Wrong": "x" } }""").BindingProblems.Count);

    [Fact]
    public void Build_BindingProblems_AreAmongAll()
    {
        var result = AcmeHttpsOptionsReader.Build(
            BindJson("""{ "AcmeHttps": { "DomainNames": ["a b"], "Wrong": 1 } }"""), TestFacts.Development);

        Assert.Equal(["AcmeHttps:Wrong", "AcmeHttps:DomainNames:0"], result.Problems.Select(problem => problem.Key));
    }

    private static AcmeHttpsOptions BindJson(string json) => Bind(Json(json));

    private static IConfigurationRoot Json(string json)
        => new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();

    private static AcmeHttpsOptions Bind(IConfiguration configuration)
    {
        var options = new AcmeHttpsOptions();
        AcmeHttpsOptionsReader.Bind(configuration.GetSection("AcmeHttps"), options);
        return options;
    }
}
