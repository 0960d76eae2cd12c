using System.Text;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class ConfigurationLayersTests
{
    private const string Base = """
        { "AcmeHttps": { "AcceptTermsOfService": true, "DirectoryUrl": "https://localhost:14000/dir", "TrustedRootsPath": "root.pem",
          "DomainNames": [ "one.example.com", "two.example.com", "three.example.com" ] } }
        """;

    [Fact]
    public void Read_ArrayOverArray_MergedAndReported()
    {
        var layers = Layers(Base, """{ "AcmeHttps": { "DomainNames": [ "only.example.com" ] } }""");

        Assert.Equal(["only.example.com", "two.example.com", "three.example.com"], Names(layers));
        var said = Assert.Single(layers.Read().MixedLists);
        Assert.Contains("AcmeHttps:DomainNames is merged from several sources", said, StringComparison.Ordinal);
        Assert.Contains("1 ('two.example.com'), 2 ('three.example.com') from file0.json", said, StringComparison.Ordinal);
        Assert.Contains("0 ('only.example.com') from file1.json", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_WholeListFromOneSource_NotReported()
    {
        var layers = Layers(
            """{ "AcmeHttps": { "DomainNames": [ "a.example.com" ] } }""",
            """{ "AcmeHttps": { "DomainNames": [ "b.example.com", "c.example.com" ] } }""");

        Assert.Equal(["b.example.com", "c.example.com"], Names(layers));
        Assert.Empty(layers.Read().MixedLists);
    }

    [Fact]
    public void Read_EnvironmentOverArray_NamesTheEnvironment()
    {
        const string Prefix = "KESTRELACME_LAYERTEST_";
        Environment.SetEnvironmentVariable(Prefix + "AcmeHttps__DomainNames__1", "env.example.com");
        var configuration = new ConfigurationBuilder().Add(new TextSource("base.json", Base)).AddEnvironmentVariables(Prefix).Build();

        var said = Assert.Single(new ConfigurationLayers(configuration).Read().MixedLists);

        Assert.Contains("1 ('env.example.com') from the environment variables", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TextOverArray_ReplacesIt()
    {
        var layers = Layers(Base, """{ "AcmeHttps": { "DomainNames": "only.example.com, more.example.com" } }""");

        Assert.Equal(["only.example.com", "more.example.com"], Names(layers));
        Assert.Empty(layers.Read().MixedLists);
    }

    [Fact]
    public void Read_ArrayOverText_ReplacesIt()
    {
        var layers = Layers(
            """{ "AcmeHttps": { "DomainNames": "a.example.com,b.example.com" } }""",
            """{ "AcmeHttps": { "DomainNames": [ "c.example.com" ] } }""");

        Assert.Equal(["c.example.com"], Names(layers));
    }

    [Fact]
    public void Read_ObjectOverArray_AddsAndRemoves()
    {
        var layers = Layers(
            Base,
            """
            { "AcmeHttps": { "DomainNames": {
              "more.example.com": true, "TWO.example.com": false, "2001:db8::1": true, "*.example.org": true } } }
            """);

        Assert.Equal(["one.example.com", "three.example.com", "*.example.org", "2001:db8::1", "more.example.com"], Names(layers));
    }

    [Theory]
    [
        InlineData(
            "Certificates",
            "{ \"DomainNames\": [ \"a.example.com\", \"b.example.com\" ] }",
            "{ \"DomainNames\": [ \"c.example.com\" ] }",
            "AcmeHttps:Certificates:0:DomainNames")]
    [
        InlineData(
            "Authorities",
            "{ \"DirectoryUrl\": \"https://a.example/\" }, { \"DirectoryUrl\": \"https://b.example/\" }",
            "{ \"DirectoryUrl\": \"https://c.example/\" }",
            "AcmeHttps:Authorities")]
    [InlineData("DnsProviders", "{ \"Type\": \"a\" }, { \"Type\": \"b\" }", "{ \"Type\": \"c\" }", "AcmeHttps:DnsProviders")]
    [InlineData("DnsResolvers", "\"192.0.2.1\", \"192.0.2.2\"", "\"192.0.2.3\"", "AcmeHttps:DnsResolvers")]
    public void Read_OtherLists_MergeIsReported(string key, string below, string above, string list)
    {
        var layers = Layers($$"""{ "AcmeHttps": { "{{key}}": [ {{below}} ] } }""", $$"""{ "AcmeHttps": { "{{key}}": [ {{above}} ] } }""");

        Assert.Contains(layers.Read().MixedLists, said => said.StartsWith(list + " is merged", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_SecretOfAnElementFromAnotherSource_NotReported()
    {
        var layers = Layers(
            """{ "AcmeHttps": { "DnsProviders": [ { "Type": "Cloudflare" } ] } }""",
            """{ "AcmeHttps": { "DnsProviders": [ { "ApiToken": "t" } ] } }""");

        Assert.Empty(layers.Read().MixedLists);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{ }")]
    [InlineData("""{ "AcmeHttps": { "DirectoryUrl": "" } }""")]
    public void Read_SourceLostItsSettings_LastSettingsKept(string now)
    {
        var source = new TextSource("settings.json", Base);
        var layers = Layers(source);
        layers.Accept(layers.Read());

        source.Text = now;
        var reading = layers.Read();

        Assert.Equal("https://localhost:14000/dir", reading.Section["DirectoryUrl"]);
        Assert.Equal(["settings.json"], reading.LostSources);
    }

    [Fact]
    public void Read_AuthorityMissing_KeptWithItsSettings()
    {
        var (layers, source) = Accepted(Base);

        source.Text = """{ "AcmeHttps": { "AcceptTermsOfService": true, "DomainNames": [ "one.example.com" ] } }""";
        var reading = layers.Read();

        Assert.Equal(("https://localhost:14000/dir", "root.pem"), (reading.Section["DirectoryUrl"], reading.Section["TrustedRootsPath"]));
        Assert.Equal(["AcmeHttps:DirectoryUrl", "AcmeHttps:TrustedRootsPath"], reading.KeptKeys.Order());
        Assert.Null(reading.Section["DomainNames:1"]);
    }

    [Fact]
    public void Read_AuthorityMissingAndLowerSourceHasOne_Kept()
    {
        var below = new TextSource("below.json", """{ "AcmeHttps": { "DirectoryUrl": "LetsEncrypt" } }""");
        var above = new TextSource("above.json", Base);
        var layers = Layers(below, above);
        layers.Accept(layers.Read());

        above.Text = """{ "AcmeHttps": { "AcceptTermsOfService": true, "DomainNames": [ "one.example.com" ] } }""";
        layers.Accept(layers.Read());

        Assert.Equal("https://localhost:14000/dir", layers.Read().Section["DirectoryUrl"]);
    }

    [Fact]
    public void Read_AnotherAuthority_NoSettingsOfTheLastOne()
    {
        var (layers, source) = Accepted(Base);

        source.Text =
            """{ "AcmeHttps": { "AcceptTermsOfService": true, "DirectoryUrl": "LetsEncrypt", "DomainNames": [ "one.example.com" ] } }""";
        var reading = layers.Read();

        Assert.Equal(("LetsEncrypt", null), (reading.Section["DirectoryUrl"], reading.Section["TrustedRootsPath"]));
        Assert.Empty(reading.KeptKeys);
    }

    [Fact]
    public void Read_ListOfAuthoritiesInsteadOfShorthand_Used()
    {
        var (layers, source) = Accepted(Base);

        source.Text =
            """
            { "AcmeHttps": {
              "Authorities": [ { "DirectoryUrl": "LetsEncrypt" } ] , "AcceptTermsOfService": true, "DomainNames": [ "one.example.com" ] } }
            """;

        Assert.Null(layers.Read().Section["DirectoryUrl"]);
    }

    [Fact]
    public void Read_FirstOfTwoAuthoritiesMissing_Kept()
    {
        var (layers, source) = Accepted(
            """
            { "AcmeHttps": { "Authorities": {
              "0": { "DirectoryUrl": "https://a.example/" }, "1": { "DirectoryUrl": "https://b.example/" } } } }
            """);

        source.Text = """{ "AcmeHttps": { "Authorities": { "1": { "DirectoryUrl": "https://b.example/" } } } }""";

        Assert.Equal("https://a.example/", layers.Read().Section["Authorities:0:DirectoryUrl"]);
    }

    [Theory]
    [InlineData("\"Issuance\": \"ServeOnly\"", "Issuance")]
    [InlineData("\"KeyAlgorithm\": \"Rsa2048\"", "KeyAlgorithm")]
    [InlineData("\"KeyAlgorithms\": [ \"Rsa2048\" ]", "KeyAlgorithms:0")]
    [InlineData("\"ChallengeTypes\": [ \"dns-01\" ]", "ChallengeTypes:0")]
    [InlineData("\"EmailAddress\": \"ops@example.com\"", "EmailAddress")]
    [InlineData("\"StoragePath\": \"/data\"", "StoragePath")]
    [InlineData("\"DnsProviders\": [ { \"Type\": \"Cloudflare\" } ]", "DnsProviders:0:Type")]
    public void Read_SettingThatAffectsOrdersMissing_Kept(string setting, string key)
    {
        var (layers, source) = Accepted($$"""{ "AcmeHttps": { "SelfCheck": true, {{setting}} } }""");
        var before = layers.Read().Section[key];

        source.Text = """{ "AcmeHttps": { "SelfCheck": true } }""";

        Assert.NotNull(before);
        Assert.Equal(before, layers.Read().Section[key]);
    }

    [Fact]
    public void Read_AllNamesOfASourceMissing_KeptUnlessMoved()
    {
        var first = new TextSource(
            "first.json", """{ "AcmeHttps": { "AcceptTermsOfService": true, "DomainNames": [ "a.example.com" ] } }""");
        var second = new TextSource("second.json", """{ "AcmeHttps": { "Certificates": [ { "DomainNames": [ "b.example.com" ] } ] } }""");
        var layers = Layers(first, second);
        layers.Accept(layers.Read());

        first.Text = """{ "AcmeHttps": { "AcceptTermsOfService": true } }""";
        Assert.Equal("a.example.com", layers.Read().Section["DomainNames:0"]);

        second.Text = """{ "AcmeHttps": { "Certificates": [ { "DomainNames": [ "b.example.com", "a.example.com" ] } ] } }""";
        Assert.Null(layers.Read().Section["DomainNames:0"]);
    }

    [Fact]
    public void HasLostSource_EmptiedWithoutASignal_True()
    {
        var (layers, source) = Accepted(Base);
        Assert.False(layers.HasLostSource());

        source.Text = "";

        Assert.True(layers.HasLostSource());
    }

    private static (ConfigurationLayers, TextSource) Accepted(string text)
    {
        var source = new TextSource("settings.json", text);
        var layers = Layers(source);
        layers.Accept(layers.Read());
        return (layers, source);
    }

    private static ConfigurationLayers Layers(params string[] texts)
        => Layers([.. texts.Select((text, i) => new TextSource($"file{i}.json", text))]);

    private static ConfigurationLayers Layers(params TextSource[] sources)
    {
        var builder = new ConfigurationBuilder();
        foreach (var source in sources)
        {
            builder.Add(source);
        }

        return new ConfigurationLayers(builder.Build());
    }

    private static IList<string> Names(ConfigurationLayers layers)
    {
        var options = new AcmeHttpsOptions();
        AcmeHttpsOptionsReader.Bind(layers.Read().Section, options);
        Assert.Empty(options.BindingProblems);
        return options.DomainNames;
    }

    private sealed class TextSource(string path, string text) : JsonConfigurationSource, IConfigurationSource
    {
        private TextProvider? _provider;

        public string Text
        {
            get;
            set
            {
                field = value;
                _provider?.Set(value);
            }
        } = text;

        IConfigurationProvider IConfigurationSource.Build(IConfigurationBuilder builder)
        {
            Path = path;
            return _provider = new TextProvider(this);
        }
    }

    private sealed class TextProvider(TextSource source) : JsonConfigurationProvider(source)
    {
        public override void Load() => Set(source.Text);

        public void Set(string text)
        {
            Data = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
            if (text.Length > 0)
            {
                Load(new MemoryStream(Encoding.UTF8.GetBytes(text)));
            }
        }
    }
}
