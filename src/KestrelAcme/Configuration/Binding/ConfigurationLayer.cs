using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Memory;

namespace KestrelAcme.Configuration.Binding;

/// <summary>The settings of one configuration source.</summary>
/// <param name="Provider">The source.</param>
/// <param name="Path">The path of the section in the source; empty if the source has only the section.</param>
/// <param name="Name">The name of the source for messages, such as <c>appsettings.json</c>.</param>
/// <param name="Values">The values, by full key, as if the section were <c>AcmeHttps</c>.</param>
internal sealed record ConfigurationLayer(
    IConfigurationProvider Provider, string Path, string Name, IReadOnlyDictionary<string, string?> Values)
{
    private const string Suffix = "ConfigurationProvider";

    /// <summary>Whether the source has no values.</summary>
    public bool IsEmpty => !Values.Values.Any(value => !string.IsNullOrWhiteSpace(value));

    /// <summary>Reads the current values of a source.</summary>
    public static ConfigurationLayer Read(IConfigurationProvider provider, string path = AcmeHttpsOptions.SectionName)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        Collect(provider, path, AcmeHttpsOptions.SectionName, values);
        return new ConfigurationLayer(provider, path, NameOf(provider), values);
    }

    /// <summary>Whether the source seems to have lost its values. Only the first value is checked.</summary>
    public bool IsEmptied()
    {
        foreach (var (key, value) in Values)
        {
            if (!string.IsNullOrWhiteSpace(value))
            {
                var rest = key[AcmeHttpsOptions.SectionName.Length..];
                var full = Path.Length == 0 ? rest.TrimStart(':') : Path + rest;
                return !Provider.TryGet(full, out var now) || string.IsNullOrWhiteSpace(now);
            }
        }

        return false;
    }

    private static void Collect(IConfigurationProvider provider, string path, string key, Dictionary<string, string?> values)
    {
        if (path.Length > 0 && provider.TryGet(path, out var value))
        {
            values[key] = value;

            // A list element has no children. Enumerating them for each name would read a list of ten thousand names ten thousand times.
            if (!string.IsNullOrEmpty(value) && path.AsSpan().LastIndexOf(':') is var colon && int.TryParse(path.AsSpan(colon + 1), out _))
            {
                return;
            }
        }

        foreach (var child in provider.GetChildKeys([], path.Length == 0 ? null : path).Distinct(StringComparer.OrdinalIgnoreCase).ToList())
        {
            var childPath = path.Length == 0 ? child : ConfigurationPath.Combine(path, child);
            Collect(provider, childPath, ConfigurationPath.Combine(key, child), values);
        }
    }

    private static string NameOf(IConfigurationProvider provider) => provider switch
    {
        FileConfigurationProvider { Source.Path: { Length: > 0 } path } => path,
        EnvironmentVariablesConfigurationProvider => "the environment variables",
        CommandLineConfigurationProvider => "the command line",
        MemoryConfigurationProvider => "settings in memory",
        _ => provider.GetType().Name is var name && name.EndsWith(Suffix, StringComparison.Ordinal) && name.Length > Suffix.Length
            ? name[..^Suffix.Length]
            : name,
    };
}
