using System.Globalization;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Lays sources over each other as the framework does, entry by entry, and tells where that puts a list together from several sources. Pure.</summary>
internal static class ConfigurationMerge
{
    private const int MaxShown = 10;

    // What makes an element of a list of objects what it is; null for a list of texts.
    private static readonly Dictionary<string, string?> Lists = new(StringComparer.OrdinalIgnoreCase)
    {
        [nameof(AcmeHttpsOptions.DomainNames)] = null,
        [nameof(AcmeHttpsOptions.ChallengeTypes)] = null,
        [nameof(AcmeHttpsOptions.KeyAlgorithms)] = null,
        [nameof(AcmeHttpsOptions.DnsResolvers)] = null,
        [nameof(DnsProviderOptions.Zones)] = null,
        [nameof(AcmeHttpsOptions.Certificates)] = nameof(CertificateOptions.DomainNames),
        [nameof(AcmeHttpsOptions.Authorities)] = nameof(AuthorityOptions.DirectoryUrl),
        [nameof(AcmeHttpsOptions.DnsProviders)] = nameof(DnsProviderOptions.Type),
    };

    /// <summary>The values that count. Unlike in the framework, a list that a later source writes as one text replaces the entries of earlier ones, and the other way round.</summary>
    public static Dictionary<string, string?> Merge(IReadOnlyList<ConfigurationLayer> layers)
        => Sources(layers).ToDictionary(pair => pair.Key, pair => layers[pair.Value].Values[pair.Key], StringComparer.OrdinalIgnoreCase);

    /// <summary>A sentence for each list whose entries come from several sources.</summary>
    public static List<string> MixedLists(IReadOnlyList<ConfigurationLayer> layers)
    {
        var entries = new SortedDictionary<string, List<(string Entry, int Layer, string? Value)>>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, layer) in Sources(layers))
        {
            if (!string.IsNullOrWhiteSpace(layers[layer].Values[key]) && EntryOf(key) is var (list, entry))
            {
                (entries.TryGetValue(list, out var known) ? known : entries[list] = []).Add((entry, layer, layers[layer].Values[key]));
            }
        }

        return [.. entries.Where(list => list.Value.Select(entry => entry.Layer).Distinct().Skip(1).Any()).Select(list => Describe(list.Key, list.Value, layers))];
    }

    /// <summary>Which source each value that counts comes from.</summary>
    private static Dictionary<string, int> Sources(IReadOnlyList<ConfigurationLayer> layers)
    {
        var sources = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < layers.Count; i++)
        {
            foreach (var (key, value) in layers[i].Values)
            {
                if (!string.IsNullOrWhiteSpace(value) && IsList(key))
                {
                    var below = sources.Keys.Where(other => sources[other] != i && other.StartsWith(key + ":", StringComparison.OrdinalIgnoreCase)).ToList();
                    below.ForEach(other => sources.Remove(other));
                }
            }

            foreach (var (key, value) in layers[i].Values)
            {
                if (!string.IsNullOrWhiteSpace(value) && ListAbove(key) is { } list && sources.GetValueOrDefault(list, i) != i)
                {
                    sources.Remove(list);
                }

                sources[key] = i;
            }
        }

        return sources;
    }

    private static bool IsList(string key) => Lists.TryGetValue(LastSegment(key), out var identity) && identity is null;

    private static string? ListAbove(string key) => key.LastIndexOf(':') is > 0 and var colon && IsList(key[..colon]) ? key[..colon] : null;

    /// <summary>The list and the entry that a key stands for; nothing for a setting of an element, which is often set from elsewhere with good reason.</summary>
    private static (string List, string Entry)? EntryOf(string key)
    {
        var segments = key.Split(':');
        for (var i = segments.Length - 2; i > 0; i--)
        {
            if (Lists.TryGetValue(segments[i], out var identity) && int.TryParse(segments[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out _)
                && (identity is null ? i + 2 == segments.Length : i + 2 < segments.Length && segments[i + 2].Equals(identity, StringComparison.OrdinalIgnoreCase)))
            {
                return (string.Join(':', segments[..(i + 1)]), segments[i + 1]);
            }
        }

        return null;
    }

    private static string Describe(string list, List<(string Entry, int Layer, string? Value)> entries, IReadOnlyList<ConfigurationLayer> layers)
    {
        var places = entries.GroupBy(entry => entry.Layer).OrderBy(group => group.Key).Select(group =>
        {
            var shown = group.Select(entry => $"{entry.Entry} ('{entry.Value}')").Distinct().Take(MaxShown + 1).ToList();
            var more = shown.Count > MaxShown ? " and more" : "";
            return $"{string.Join(", ", shown.Take(MaxShown))}{more} from {layers[group.Key].Name}";
        });
        var name = LastSegment(list);
        var fix = Lists[name] is not null ? "Number the entries so that they do not meet, or write the whole list in one source"
            : name.Equals(nameof(AcmeHttpsOptions.DomainNames), StringComparison.OrdinalIgnoreCase)
                ? $"To replace the list, write \"{name}\": \"a.example, b.example\" as one text; to add to it, write an object, {{ \"a.example\": true }}"
                : $"To replace the list, write \"{name}\": \"a, b\" as one text";
        return $"{list} is put together from several sources, entry by entry: {string.Join("; ", places)}. {fix}.";
    }

    private static string LastSegment(string key) => key[(key.LastIndexOf(':') + 1)..];
}
