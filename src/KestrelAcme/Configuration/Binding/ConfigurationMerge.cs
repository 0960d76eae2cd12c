using System.Globalization;

namespace KestrelAcme.Configuration.Binding;

/// <summary>
/// Merges sources as the framework does, entry by entry, and reports the lists whose entries come from several sources. Pure.
/// </summary>
internal static class ConfigurationMerge
{
    private const int MaxShown = 10;

    private static IReadOnlyDictionary<string, string?> Lists => AcmeHttpsOptionsReader.ListIdentities;

    /// <summary>
    /// Returns the effective values. Unlike in the framework, a list that a later source writes as one text replaces the entries of earlier
    /// sources, and entries replace such a text.
    /// </summary>
    public static Dictionary<string, string?> Merge(IReadOnlyList<ConfigurationLayer> layers)
        => Sources(layers).ToDictionary(pair => pair.Key, pair => layers[pair.Value].Values[pair.Key], StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns a sentence for each list whose entries come from several sources.</summary>
    public static List<string> MixedLists(IReadOnlyList<ConfigurationLayer> layers)
    {
        var entries = new Dictionary<string, List<MergedEntry>>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, layer) in Sources(layers))
        {
            if (!string.IsNullOrWhiteSpace(layers[layer].Values[key]) && EntryOf(key) is var (list, entry))
            {
                (entries.TryGetValue(list, out var known) ? known : entries[list] = []).Add(new(entry, layer, layers[layer].Values[key]));
            }
        }

        var mixed = new List<string>();
        foreach (var (list, found) in entries)
        {
            if (found.Exists(entry => entry.Layer != found[0].Layer))
            {
                mixed.Add(list);
            }
        }

        mixed.Sort(StringComparer.OrdinalIgnoreCase);
        return mixed.ConvertAll(list => Describe(list, entries[list], layers));
    }

    /// <summary>Returns the source that each effective value comes from.</summary>
    private static Dictionary<string, int> Sources(IReadOnlyList<ConfigurationLayer> layers)
    {
        var sources = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < layers.Count; i++)
        {
            foreach (var (key, value) in layers[i].Values)
            {
                if (!string.IsNullOrWhiteSpace(value) && IsList(key))
                {
                    var below = sources.Keys
                        .Where(other => sources[other] != i && other.StartsWith(key + ":", StringComparison.OrdinalIgnoreCase))
                        .ToList();
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

    private static string? ListAbove(string key)
        => key.LastIndexOf(':') is > 0 and var colon && IsList(key[..colon]) ? key[..colon] : null;

    /// <summary>
    /// Returns the list and the entry that a key identifies, or <see langword="null"/> for other settings of an element: those are often
    /// set by another source with good reason.
    /// </summary>
    private static (string List, string Entry)? EntryOf(string key)
    {
        var segments = key.Split(':');
        for (var i = segments.Length - 2; i > 0; i--)
        {
            if (Lists.TryGetValue(segments[i], out var identity)
                && int.TryParse(segments[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out _)
                && (identity is null
                    ? i + 2 == segments.Length
                    : i + 2 < segments.Length && segments[i + 2].Equals(identity, StringComparison.OrdinalIgnoreCase)))
            {
                return (string.Join(':', segments[..(i + 1)]), segments[i + 1]);
            }
        }

        return null;
    }

    private static string Describe(
        string list, List<MergedEntry> entries, IReadOnlyList<ConfigurationLayer> layers)
    {
        var places = entries.GroupBy(entry => entry.Layer).OrderBy(group => group.Key).Select(group =>
        {
            var shown = group.Select(entry => $"{entry.Entry} ('{entry.Value}')").Distinct().Take(MaxShown + 1).ToList();
            var more = shown.Count > MaxShown ? " and more" : "";
            return $"{string.Join(", ", shown.Take(MaxShown))}{more} from {layers[group.Key].Name}";
        });
        var name = LastSegment(list);
        var fix = Lists[name] is not null
            ? "Number the entries so that they do not overlap, or write the whole list in one source"
            : name.Equals(nameof(AcmeHttpsOptions.DomainNames), StringComparison.OrdinalIgnoreCase)
                ? $"To replace the list, write \"{name}\": \"a.example, b.example\" as one text; "
                    + "to add to it, write an object, { \"a.example\": true }"
                : $"To replace the list, write \"{name}\": \"a, b\" as one text";
        return $"{list} is merged from several sources, entry by entry: {string.Join("; ", places)}. {fix}.";
    }

    private static string LastSegment(string key) => key[(key.LastIndexOf(':') + 1)..];

    private sealed record MergedEntry(string Entry, int Layer, string? Value);
}
