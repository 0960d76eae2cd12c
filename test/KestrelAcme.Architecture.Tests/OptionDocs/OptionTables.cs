using System.Globalization;
using System.Text;
using KestrelAcme.Configuration;

namespace KestrelAcme.Architecture.Tests.OptionDocs;

/// <summary>The tables in docs/options.md: one for the section, and one for each section in it.</summary>
internal static class OptionTables
{
    // The pages and sections with more about an option.
    private static readonly Dictionary<string, string> More = new(StringComparer.Ordinal)
    {
        ["ChallengeTypes"] = "[Choose a challenge](../README.md#choose-a-challenge)",
        ["DnsProviders"] = "[DNS providers](dns-providers.md)",
        ["StoragePath"] = "[Storage](storage.md)",
        ["ImportFrom"] = "[Move from another client](migration.md)",
        ["ProtectKeys"] = "[Keys at rest](keys.md)",
        ["ExportPath"] = "[Certificates for other programs](export.md)",
        ["ExportHook"] = "[Run a program after an export](export.md#run-a-program-after-an-export)",
        ["RequireCertificateOnStartup"] = "[Blue/green deployments](operations.md#bluegreen-deployments)",
        ["Http01Stateless"] = "[below](#http01stateless)",
    };

    public static IEnumerable<string> NamesWithMore => More.Keys;

    public static string Write()
    {
        var text = new StringBuilder();
        Table(text, typeof(AcmeHttpsOptions));
        foreach (var option in OptionDoc.Of(typeof(AcmeHttpsOptions)).Where(option => option.IsSection))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### `{option.Name}`\n\n");
            text.Append(option.IsList ? "A list of sections with these keys:\n\n" : "A section with these keys:\n\n");
            Table(text, option.Element);
        }

        return text.ToString();
    }

    private static void Table(StringBuilder text, Type type)
    {
        text.Append("| key | default | meaning |\n|---|---|---|\n");
        foreach (var option in OptionDoc.Of(type))
        {
            var unset = option.Default.Length == 0 ? "" : $" {option.Default}";
            var meaning = Meaning(option, type == typeof(AcmeHttpsOptions));
            text.Append(CultureInfo.InvariantCulture, $"| `{option.Name}` |{unset} | {meaning} |\n");
        }
    }

    private static string Meaning(OptionDoc option, bool isTop)
    {
        List<string> sentences = [option.Meaning];
        if (option.Element.IsEnum && !option.IsList)
        {
            sentences.AddRange(OptionDoc.Choices(option.Element).Select(choice => $"`{choice.Name}`: {choice.Meaning}"));
        }

        if (option.IsSection && isTop)
        {
            sentences.Add($"See [`{option.Name}`](#{option.Name.ToLowerInvariant()}).");
        }

        if (isTop && More.TryGetValue(option.Name, out var more))
        {
            sentences.Add($"See {more}.");
        }

        return string.Join(' ', sentences);
    }
}
