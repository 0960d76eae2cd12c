using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using KestrelAcme.Azure;
using KestrelAcme.Configuration;
using Xunit;

namespace KestrelAcme.Architecture.Tests.OptionDocs;

/// <summary>
/// What the documentation and the package say about options comes from the XML documentation of the options classes.
/// <c>UPDATE_DOCS=1</c> writes both files again.
/// </summary>
public sealed partial class OptionDocsTests
{
    private const string Page = "docs/options.md";
    private const string Schema = "src/KestrelAcme/ConfigurationSchema.json";
    private const string Begin = "<!-- options -->\n";
    private const string End = "<!-- /options -->";

    public static TheoryData<string> Examples =>
    [
        .. from page in Repository.Files("docs", "*.md").Append(Path.Combine(Repository.Root, "README.md"))
           from block in JsonBlock().Matches(File.ReadAllText(page)).Select(match => match.Groups[1].Value.Trim())
           select block.StartsWith('{') ? block : $$"""{ "AcmeHttps": { {{block}} } }""",
    ];

    [Fact]
    public void Tables_OptionsPage_AreThoseOfTheXmlDocumentation()
    {
        var text = Read(Page);
        var (from, to) = (text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, text.IndexOf(End, StringComparison.Ordinal));

        AssertCurrent(Page, text[from..to], OptionTables.Write(), written => text[..from] + written + text[to..]);
    }

    [Fact]
    public void Schema_Package_IsThatOfTheXmlDocumentation()
        => AssertCurrent(Schema, Read(Schema), OptionSchema.Write(), written => written);

    [Fact]
    public void Default_XmlDocumentation_IsThatOfTheCode()
    {
        foreach (var type in new[] { typeof(AcmeHttpsOptions), typeof(DnsProviderOptions) })
        {
            var options = Activator.CreateInstance(type);
            foreach (var option in OptionDoc.Of(type).Where(option => option.Property.PropertyType.IsValueType))
            {
                var value = option.Property.GetValue(options);
                if (value is bool or int or Enum)
                {
                    var text = Convert.ToString(value, CultureInfo.InvariantCulture)!;
                    Assert.Matches($"^`?{(value is bool ? text.ToLowerInvariant() : text)}`?(?![\\w,])", option.Default);
                }
            }
        }
    }

    [Fact]
    public void More_OptionsWithAPage_Exist()
        => Assert.Empty(OptionTables.NamesWithMore.Except(OptionDoc.Of(typeof(AcmeHttpsOptions)).Select(option => option.Name)));

    [Theory]
    [MemberData(nameof(Examples))]
    public void Schema_ExampleInTheDocumentation_IsAccepted(string example)
        => Assert.Empty(SchemaCheck.Problems(Read(Schema), example));

    [Theory]
    [InlineData("""{ "AcmeHttps": { "DomainName": "example.com" } }""", "DomainName")]
    [InlineData("""{ "AcmeHttps": { "AcceptTermsOfService": "yes" } }""", "AcceptTermsOfService")]
    [InlineData("""{ "AcmeHttps": { "KeyAlgorithm": "Rsa1024" } }""", "KeyAlgorithm")]
    [InlineData("""{ "AcmeHttps": { "MaxConcurrentOrders": 101 } }""", "MaxConcurrentOrders")]
    [InlineData("""{ "AcmeHttps": { "DomainNames": { "example.com": 1 } } }""", "DomainNames")]
    [InlineData("""{ "AcmeHttps": { "DnsProviders": [ { "Type": "Rfc2136", "PropagationTimeout": "5 min" } ] } }""", "PropagationTimeout")]
    [InlineData("""{ "AcmeHttps": { "ExternalAccountBinding": { "HmacKey": 1 } } }""", "HmacKey")]
    public void Schema_Mistake_IsFound(string configuration, string key)
        => Assert.Contains(SchemaCheck.Problems(Read(Schema), configuration), problem => problem.Contains(key, StringComparison.Ordinal));

    [Theory]
    [InlineData(""" "UseStagingServer": true, "AllowedChallengeTypes": "Any", "KeyAlgorithm": "RS256", "KeySize": 4096 """)]
    [InlineData(""" "EabCredentials": { "EabKeyId": "a", "EabKey": "b", "EabKeyAlg": "HS256" } """)]
    [InlineData(""" "DnsProviders": [ { "Type": "AzureDns", "SubscriptionId": "a", "TenantId": "b" } ] """)]
    public void Schema_NamesOfOthers_AreAccepted(string settings)
        => Assert.Empty(SchemaCheck.Problems(Read(Schema), $$"""{ "AcmeHttps": { {{settings}} } }"""));

    [Fact]
    public void Schema_NamesOfLettuceEncrypt_AreThoseThatAreRead()
    {
        var source = Read("src/KestrelAcme/Configuration/Binding/LettuceEncryptNames.cs");
        using var schema = JsonDocument.Parse(Read(Schema));
        var options = schema.RootElement.GetProperty("properties").GetProperty("AcmeHttps").GetProperty("properties");

        Assert.Equal(
            NameOfLettuceEncrypt().Matches(source).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal),
            options.EnumerateObject()
                .Where(option => option.Value.GetRawText().Contains("A name of LettuceEncrypt", StringComparison.Ordinal))
                .Select(option => option.Name)
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Schema_ProvidersOfPackages_HaveTheirKeys()
    {
        using var schema = JsonDocument.Parse(Read(Schema));
        var provider = schema.RootElement.GetProperty("properties").GetProperty("AcmeHttps").GetProperty("properties")
            .GetProperty("DnsProviders").GetProperty("items").GetProperty("properties");

        Assert.Contains("AzureDns", provider.GetProperty("Type").GetRawText(), StringComparison.Ordinal);
        Assert.All(
            typeof(AzureDnsOptions).GetProperties().Where(p => p.DeclaringType == typeof(AzureDnsOptions)),
            p => Assert.Contains("AzureDns:", provider.GetProperty(p.Name).GetRawText(), StringComparison.Ordinal));
    }

    [Fact]
    public void Schema_Everything_HasADescription()
    {
        using var schema = JsonDocument.Parse(Read(Schema));
        var options = schema.RootElement.GetProperty("properties").GetProperty("AcmeHttps").GetProperty("properties");

        Assert.All(options.EnumerateObject(), option => Assert.NotEmpty(option.Value.GetProperty("description").GetString()!));
    }

    private static void AssertCurrent(string file, string there, string wanted, Func<string, string> replace)
    {
        if (there == wanted)
        {
            return;
        }

        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
        {
            File.WriteAllText(Path.Combine(Repository.Root, file), replace(wanted));
            return;
        }

        var changed = wanted.Split('\n').Except(there.Split('\n')).Concat(there.Split('\n').Except(wanted.Split('\n'))).Take(6);
        Assert.Fail(
            $"{file} is generated from the XML documentation of the options, and is not current. "
            + "Run this test with UPDATE_DOCS=1.\n" + string.Join('\n', changed));
    }

    private static string Read(string file)
        => File.Exists(Path.Combine(Repository.Root, file)) ? File.ReadAllText(Path.Combine(Repository.Root, file)) : "";

    [GeneratedRegex("private const string (?!Section)\\w+ = \"(\\w+)\";")]
    private static partial Regex NameOfLettuceEncrypt();

    [GeneratedRegex("^```json\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex JsonBlock();
}
