using System.Text.RegularExpressions;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>
/// The cost of an option: its options class, one reader, the snapshot, and the class that uses it. CONTRIBUTING.md describes these steps.
/// </summary>
public sealed partial class OptionRulesTests
{
    private const string Reader = "AcmeHttpsOptionsReader";

    // Options that others depend on: the shorthand for a CA, the lists of nested options, and the main switch.
    private static readonly Dictionary<string, string[]> Shared = new(StringComparer.Ordinal)
    {
        ["AcceptTermsOfService"] = ["LettuceEncryptNames"],
        ["AccountKeyFile"] = ["AuthorityReader"],
        ["Authorities"] = ["AuthorityReader", "LettuceEncryptNames"],
        ["Certificates"] = ["CertificateReader"],
        ["ChallengeTypes"] = ["LettuceEncryptNames"],
        ["DirectoryUrl"] = ["AuthorityReader", "ConfigurationLayers", "LettuceEncryptNames"],
        ["DnsProviders"] = ["DnsProviderReader", "DnsProviderBuilderExtensions"],
        ["DomainNames"] = ["CertificateReader", "ConfigurationMerge", "LettuceEncryptNames"],
        ["EmailAddress"] = ["AuthorityReader", "LettuceEncryptNames"],
        ["Enabled"] = ["SnapshotReader"],
        ["ExternalAccountBinding"] = ["AuthorityReader", "LettuceEncryptNames"],
        ["ImportFrom"] = ["ImportReader"],
        ["Issuance"] = ["AuthorityReader"],
        ["KeyAlgorithm"] = ["LettuceEncryptNames"],
        ["OnDemand"] = ["OnDemandBuilderExtensions"],
        ["PreferredChain"] = ["AuthorityReader", "CertificateReader"],
        ["Profile"] = ["AuthorityReader", "CertificateReader"],
        ["TrustedRootsPath"] = ["AuthorityReader"],
    };

    // The options that each file reads, without those in comments.
    private static readonly List<(string Path, string Name, HashSet<string> Reads)> Files =
    [
        .. Repository.Files("src/KestrelAcme", "*.cs").Select(path => (
            Repository.Relative(path),
            Path.GetFileName(path).Split('.')[0],
            File.ReadLines(path)
                .Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal))
                .SelectMany(line => Use().Matches(line).Select(match => match.Groups[1].Value))
                .ToHashSet(StringComparer.Ordinal))),
    ];

    [Fact]
    public void Option_Product_IsReadInOneFile()
    {
        var wrong = from option in Options()
                    from file in Files
                    where file.Name != Reader && file.Reads.Contains(option)
                    where !Shared.GetValueOrDefault(option, []).Contains(file.Name)
                    select $"{file.Path} reads the option {option}";

        Violations.None($"{Reader} binds and checks each option; everything else reads ConfigurationSnapshot", wrong);
    }

    [Fact]
    public void Shared_Options_AreStillReadThere()
    {
        Assert.Superset(Shared.Keys.ToHashSet(StringComparer.Ordinal), Options().ToHashSet(StringComparer.Ordinal));
        var gone = from option in Shared
                   from name in option.Value
                   where !Files.Exists(file => file.Name == name && file.Reads.Contains(option.Key))
                   select $"{name} no longer reads {option.Key}: remove it from the list";

        Violations.None("The list of shared options is up to date", gone);
    }

    private static List<string> Options()
    {
        var path = Repository.Files("src/KestrelAcme/Configuration/Options", "AcmeHttpsOptions.cs").Single();
        List<string> options = [.. Property().Matches(File.ReadAllText(path)).Select(match => match.Groups[1].Value)];
        Assert.Contains("DomainNames", options);
        return options;
    }

    [GeneratedRegex(@"public [\w<>?, ]+ (\w+) \{ get; set; \}")]
    private static partial Regex Property();

    [GeneratedRegex(@"\b(?:options|all|AcmeHttpsOptions)\.(\w+)\b")]
    private static partial Regex Use();
}
