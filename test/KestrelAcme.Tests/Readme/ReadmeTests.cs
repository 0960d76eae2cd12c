using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using KestrelAcme.Challenges.Dns01.AcmeDns;
using KestrelAcme.Challenges.Dns01.Cloudflare;
using KestrelAcme.Challenges.Dns01.Exec;
using KestrelAcme.Challenges.Dns01.PowerDns;
using KestrelAcme.Challenges.Dns01.Rfc2136;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.LocalAuthority;
using KestrelAcme.Tests.Configuration;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace KestrelAcme.Tests.Readme;

/// <summary>The examples in README.md and docs/ work, and what they say about options matches the code.</summary>
public sealed partial class ReadmeTests
{
    private static readonly DnsProviderType[] ProviderTypes =
        [
            Rfc2136Options.ProviderType, PowerDnsOptions.ProviderType, CloudflareOptions.ProviderType,
            AcmeDnsOptions.ProviderType, ExecOptions.ProviderType,
        ];

    // The files that the examples name, with something in them.
    private static readonly EnvironmentFacts Facts = TestFacts.Production with
    {
        DnsProviderTypes = ProviderTypes,
        ReadFile = _ => "c2VjcmV0LXZhbHVl",
    };

    private static readonly string Readme = Read("README.md");
    private static readonly string Options = Read("docs/options.md");
    private static readonly string DnsProviders = Read("docs/dns-providers.md");

    private static readonly string Everything = string.Join(
        '\n',
        new[] { Readme, Read("CONTRIBUTING.md") }
            .Concat(Directory.EnumerateFiles(Path.Combine(Root(), "docs"), "*.md").Order(StringComparer.Ordinal).Select(File.ReadAllText)));

    public static TheoryData<string> JsonBlocks => [.. Blocks("json")];

    [Theory]
    [MemberData(nameof(JsonBlocks))]
    public void JsonBlock_AsItStands_IsAGoodConfiguration(string block)
        => Assert.Empty(Problems(block.StartsWith('{') ? block : $$"""{ "AcmeHttps": { {{block}} } }"""));

    [Fact]
    public void JsonBlock_WithAMisspeltKey_WouldBeFound()
        => Assert.Contains(
            Problems(Blocks("json").First().Replace("DomainNames", "DomainName", StringComparison.Ordinal)),
            problem => problem.Contains("is not a known key", StringComparison.Ordinal));

    [Fact]
    public void EnvironmentVariables_OfTheContainer_AreAGoodConfiguration()
    {
        var variables = Variable()
            .Matches(Readme)
            .ToDictionary(
                match => match.Groups[1].Value.Replace("__", ":", StringComparison.Ordinal), string? (match) => match.Groups[2].Value);

        Assert.NotEmpty(variables);
        Assert.Empty(Problems(new ConfigurationBuilder().AddInMemoryCollection(variables).Build()));
    }

    [Fact]
    public void OptionsTable_EveryOption_IsThereAndNothingElse()
        => Assert.Equal(
            typeof(AcmeHttpsOptions).GetProperties()
                .Where(property => property.CanWrite)
                .Select(property => property.Name)
                .Order(StringComparer.Ordinal),
            OptionRows().Select(row => row.Key).Order(StringComparer.Ordinal));

    [Fact]
    public void OptionsTable_DefaultsThatAreDecidedLater_AreTheCodes()
    {
        Assert.Equal(
            OptionRows().Single(row => row.Key == "ChallengeTypes").Default.Trim('`'), Assert.Single(TestFacts.Snapshot().ChallengeTypes));
        Assert.StartsWith(
            $"`{Assert.Single(TestFacts.Snapshot().Authorities).DisplayName}`",
            OptionRows().Single(row => row.Key == "DirectoryUrl").Default,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("KeyAlgorithm", typeof(KeyAlgorithm))]
    public void OptionsTable_Values_AreAllOfThem(string key, Type type)
        => Assert.Equal(
            Enum.GetNames(type), Code().Matches(OptionRows().Single(row => row.Key == key).Meaning).Select(match => match.Groups[1].Value));

    [Fact]
    public void OptionsTable_Authorities_AreAllThatAreKnown()
        => Assert.Equal(
            WellKnownAuthorities.All.Select(authority => authority.Name),
            Code().Matches(OptionRows().Single(row => row.Key == "DirectoryUrl").Meaning).Select(match => match.Groups[1].Value));

    [Fact]
    public void RestartOnly_Named_AreThoseOfTheCode()
    {
        var sentence = Options[Options.IndexOf("except `Enabled`", StringComparison.Ordinal)..];
        var named = Code()
            .Matches(sentence[..sentence.IndexOf(':', StringComparison.Ordinal)])
            .Select(match => match.Groups[1].Value)
            .ToList();
        var current = TestFacts.Snapshot();
        var next = TestFacts.Snapshot(options =>
        {
            options.StoragePath = "/elsewhere";
            options.ImportFrom = [new() { Path = "/etc/letsencrypt" }];
            options.ExportPath = "/export";
            options.ProtectKeys = false;
            options.MaxConcurrentOrders = 7;
            options.ContextCacheSize = 70;
            options.SessionCacheCertificates = 17;
            options.OnDemand = new OnDemandOptions();
            options.SelfCheck = false;
            options.ReuseKeys = true;
            options.DefaultServerName = "example.com";
            options.MissingCertificate = MissingCertificate.Refuse;
        });

        var ignored = AcmeHttpsOptionsReader.KeepUntilRestart(current, next).Ignored.Concat(
            AcmeHttpsOptionsReader.KeepUntilRestart(current, ConfigurationSnapshot.Disabled).Ignored);

        Assert.Equal(ignored.Select(key => key.Split(':')[1]).Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void DnsProviders_Keys_AreThoseOfTheCode()
    {
        var rows = Table(DnsProviders, "| `Type` | keys |")
            .ToDictionary(
                row => row[0].Trim('`'),
                row => Code().Matches(row[1]).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal).ToArray());

        // Azure's are those of another package.
        Assert.Equal(
            ProviderTypes.Select(type => type.Name).Append("AzureDns").Order(StringComparer.Ordinal),
            rows.Keys.Order(StringComparer.Ordinal));
        Assert.All(ProviderTypes, type => Assert.Equal(type.Keys.Select(key => key.Name).Order(StringComparer.Ordinal), rows[type.Name]));
    }

    [Fact]
    public void Members_InCodeFont_Exist()
    {
        var members = new[] { typeof(AcmeHttpsOptions).Assembly, typeof(LocalAcmeAuthority).Assembly }
            .SelectMany(assembly => assembly.GetExportedTypes())
                .SelectMany(type => type.GetMembers(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance))
            .Select(member => member.Name)
            .Concat(
                [
                    "AddAntiforgery", "AddAzureDns", "AddDataProtection", "AddDbContext", "AddDbContextFactory", "AddDbContextPool",
                    "AddDomainsFromYarp", "AddHealthChecks", "AddMeter", "AddOpenTelemetry", "AddReverseProxy", "AddSource",
                    "UseKestrelHttpsConfiguration", "UseSqlServer", "UseSystemd",
                ]) // Of KestrelAcme.Azure, OpenTelemetry, Entity Framework Core and ASP.NET Core.
            .Concat(
                [
                    "AddAutoHttps", "AddLettuceEncrypt", "RenewDaysInAdvance", "UseHttps", "UseLettuceEncrypt", "UseRedis",
                    "UseStagingServer",
                ]) // Of AutoHttps and LettuceEncrypt.
            .Concat(["AddDomainsFromYarp", "AddReverseProxy"]) // Of KestrelAcme.Yarp and YARP.
            .ToHashSet(StringComparer.Ordinal);
        var events = EventName().Matches(Read("docs/events.md")).Select(match => match.Groups[1].Value);
        var named = Verb().Matches(Everything).Select(match => match.Value).Except(events).Distinct().ToList();

        Assert.True(named.Count > 15, string.Join(' ', named));
        Assert.Empty(named.Except(members));
    }

    private static IEnumerable<string> Blocks(string language)
        => Block().Matches(Everything).Where(match => match.Groups[1].Value == language).Select(match => match.Groups[2].Value.Trim());

    private static IEnumerable<(string Key, string Default, string Meaning)> OptionRows()
        => Table(Options, "| key | default | meaning |").Select(row => (row[0].Trim('`'), row[1], row[2]));

    private static IEnumerable<string[]> Table(string text, string head)
        => text[text.IndexOf(head, StringComparison.Ordinal)..].Split('\n')
            .TakeWhile(line => line.StartsWith('|'))
            .Skip(2)
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray());

    private static IEnumerable<string> Problems(string json)
        => Problems(new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build());

    private static IEnumerable<string> Problems(IConfiguration configuration)
    {
        var options = TestFacts.Good();
        AcmeHttpsOptionsReader.Bind(configuration.GetSection("AcmeHttps"), options);
        return AcmeHttpsOptionsReader.Build(options, Facts).Problems.Select(problem => problem.ToString());
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(Root(), file));

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KestrelAcme.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException($"No KestrelAcme.sln above {AppContext.BaseDirectory}.");
        }

        return folder.FullName;
    }

    [GeneratedRegex("^```(\\w+)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("-e (AcmeHttps__\\w+)=(\\S+)")]
    private static partial Regex Variable();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"^\| \d+ \| \w+ \| `(\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex EventName();

    [GeneratedRegex("\\b(?:Add|Use|Obtain|Renew|Revoke|Rollover|Remove|Watch)[A-Z]\\w+")]
    private static partial Regex Verb();
}
