using KestrelAcme.Configuration.Rules;
using Microsoft.Extensions.Configuration;

namespace KestrelAcme.Configuration.Binding;

/// <summary>
/// Reads section <c>AcmeHttps</c>, or the one that the app passed, source by source, so that a reload can tell a setting that was changed from one that is missing: a deployment tool deletes and writes a file,
/// a half-written one reads as empty, and without its <c>DirectoryUrl</c> an app would order from the default authority within seconds.
/// </summary>
/// <remarks>Safe for concurrent use. Before anything was accepted, what is read is taken as it is: a restart takes up everything.</remarks>
internal sealed class ConfigurationLayers(IConfiguration? configuration = null, string path = AcmeHttpsOptions.SectionName)
{
    private static readonly IReadOnlyList<string> Authority =
    [
        nameof(AcmeHttpsOptions.DirectoryUrl), nameof(AcmeHttpsOptions.Authorities), nameof(AcmeHttpsOptions.TrustedRootsPath),
        nameof(AcmeHttpsOptions.ExternalAccountBinding), nameof(AcmeHttpsOptions.Profile), nameof(AcmeHttpsOptions.PreferredChain),
    ];

    private static readonly IReadOnlyList<string> Names = [nameof(AcmeHttpsOptions.DomainNames), nameof(AcmeHttpsOptions.Certificates)];

    // Lists: one that got shorter was edited, one that is gone may just be away.
    private static readonly IReadOnlyList<IReadOnlyList<string>> Lists =
    [
        [nameof(AcmeHttpsOptions.KeyAlgorithm), nameof(AcmeHttpsOptions.KeyAlgorithms)],
        [nameof(AcmeHttpsOptions.ChallengeTypes)], [nameof(AcmeHttpsOptions.DnsProviders)], [nameof(AcmeHttpsOptions.DnsResolvers)],
    ];

    // Settings whose absence changes where, whether or what is ordered, and those that stand for each other.
    private static readonly IReadOnlyList<IReadOnlyList<string>> Groups =
    [
        Authority, .. Lists,
        [nameof(AcmeHttpsOptions.AcceptTermsOfService)], [nameof(AcmeHttpsOptions.EmailAddress)], [nameof(AcmeHttpsOptions.Issuance)], [nameof(AcmeHttpsOptions.ReuseKeys)],
        [nameof(AcmeHttpsOptions.ExportPath)], [nameof(AcmeHttpsOptions.StoragePath)], [nameof(AcmeHttpsOptions.Enabled)],
    ];

    private static readonly Comparer<KeyValuePair<string, string?>> ByKey = Comparer<KeyValuePair<string, string?>>.Create((a, b) => StringComparer.Ordinal.Compare(a.Key, b.Key));

    private volatile LayeredConfiguration? _accepted;

    /// <summary>The configuration that is read; <see langword="null"/> in an app without one.</summary>
    public IConfiguration? Configuration => configuration;

    /// <summary>The layers of the app's own section <c>AcmeHttps</c>, or of the section that was passed.</summary>
    public static ConfigurationLayers Create(IConfiguration? ofApp, IConfiguration? passed) => passed switch
    {
        null => new ConfigurationLayers(ofApp),
        IConfigurationRoot root => new ConfigurationLayers(root, root.GetSection(AcmeHttpsOptions.SectionName).Exists() ? AcmeHttpsOptions.SectionName : ""),

        // A section does not tell its sources. If it is one of the app's own, they are the app's.
        IConfigurationSection section when ofApp is IConfigurationRoot && IsSame(section, ofApp.GetSection(section.Path)) => new ConfigurationLayers(ofApp, section.Path),
        _ => new ConfigurationLayers(passed, ""),
    };

    /// <summary>Reads all sources. One that had settings and has none now keeps those of the last accepted reading, and so do single settings whose absence is no change that anybody meant.</summary>
    public LayeredConfiguration Read()
    {
        var layers = Providers(configuration).Select(provider => ConfigurationLayer.Read(provider, path)).ToList();
        if (_accepted is not { } accepted)
        {
            return new LayeredConfiguration(layers, ConfigurationMerge.Merge(layers), [], []);
        }

        var lost = KeepLost(layers, accepted.Layers);
        var kept = KeepNames(layers, accepted.Layers);
        var values = ConfigurationMerge.Merge(layers);
        kept.AddRange(KeepMissing(values, layers, accepted));
        return new LayeredConfiguration(layers, values, lost, kept);
    }

    /// <summary>Takes a reading as the one that later ones are compared with.</summary>
    public void Accept(LayeredConfiguration reading) => _accepted = reading;

    /// <summary>Whether a source has lost its settings without saying so: a file that cannot be parsed any more is emptied, and nothing signals it.</summary>
    public bool HasLostSource()
        => _accepted is { } accepted && accepted.Layers.Any(layer => !accepted.LostSources.Contains(layer.Name) && layer.IsEmptied());

    private static bool IsSame(IConfigurationSection section, IConfigurationSection other)
        => section.AsEnumerable(makePathsRelative: true).Order(ByKey).SequenceEqual(other.AsEnumerable(makePathsRelative: true).Order(ByKey));

    private static IEnumerable<IConfigurationProvider> Providers(IConfiguration? configuration) => configuration switch
    {
        null => [],
        IConfigurationRoot root => root.Providers.SelectMany(provider => provider is ChainedConfigurationProvider { Configuration: IConfigurationRoot inner } ? Providers(inner) : [provider]),
        _ => [new ChainedConfigurationProvider(new ChainedConfigurationSource { Configuration = configuration })],
    };

    // A configuration to which a source is added may make all its sources anew.
    private static ConfigurationLayer? Find(ConfigurationLayer layer, IReadOnlyList<ConfigurationLayer> among)
        => among.FirstOrDefault(other => ReferenceEquals(other.Provider, layer.Provider)) ?? among.FirstOrDefault(other => other.Name == layer.Name);

    private static List<string> KeepLost(List<ConfigurationLayer> layers, IReadOnlyList<ConfigurationLayer> accepted)
    {
        var lost = new List<string>();
        for (var i = 0; i < accepted.Count; i++)
        {
            var before = accepted[i];
            var now = Find(before, layers);
            if (before.IsEmpty || now is { IsEmpty: false })
            {
                continue;
            }

            lost.Add(before.Name);
            if (now is null)
            {
                layers.Insert(Math.Min(i, layers.Count), before);
            }
            else
            {
                layers[layers.IndexOf(now)] = now with { Values = before.Values };
            }
        }

        return lost;
    }

    // Of a source that has other settings still, unless the names were moved to another one.
    private static List<string> KeepNames(List<ConfigurationLayer> layers, IReadOnlyList<ConfigurationLayer> accepted)
    {
        if (layers.Exists(layer => In(Names, layer.Values).Any(pair => IsNew(pair.Key, pair.Value, layer, accepted))))
        {
            return [];
        }

        var kept = new List<string>();
        for (var i = 0; i < layers.Count; i++)
        {
            if (Find(layers[i], accepted) is { } before && In(Names, before.Values) is { Count: > 0 } names && In(Names, layers[i].Values).Count == 0)
            {
                layers[i] = layers[i] with { Values = names.Concat(layers[i].Values).DistinctBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase).ToDictionary(StringComparer.OrdinalIgnoreCase) };
                kept.AddRange(names.Keys);
            }
        }

        return kept;
    }

    private static List<string> KeepMissing(Dictionary<string, string?> values, List<ConfigurationLayer> layers, LayeredConfiguration accepted)
    {
        var kept = new List<string>();
        foreach (var group in Groups)
        {
            var before = In(group, accepted.Values);
            var now = In(group, values);

            // Where a setting is gone, that of a source below it may show: it is no more meant than none.
            bool IsMeant(string key) => now.TryGetValue(key, out var value) && layers.FindLast(layer => layer.Values.TryGetValue(key, out var own) && own == value) is { } layer && IsNew(key, value, layer, accepted.Layers);
            var isMeant = ReferenceEquals(group, Authority) ? now.Keys.Any(key => IsDirectory(key) && IsMeant(key)) : Lists.Contains(group) && now.Count > 0;
            foreach (var (key, value) in isMeant ? [] : before.Where(pair => now.GetValueOrDefault(pair.Key) != pair.Value && !IsMeant(pair.Key)))
            {
                values[key] = value;
                kept.Add(key);
            }
        }

        return kept;
    }

    private static bool IsNew(string key, string? value, ConfigurationLayer layer, IReadOnlyList<ConfigurationLayer> accepted) => Find(layer, accepted)?.Values.GetValueOrDefault(key) != value;

    private static bool IsDirectory(string key) => key.EndsWith(":" + nameof(AcmeHttpsOptions.DirectoryUrl), StringComparison.OrdinalIgnoreCase);

    private static Dictionary<string, string?> In(IReadOnlyList<string> group, IReadOnlyDictionary<string, string?> values)
    {
        var found = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var of in group.Select(ConfigurationKeys.Of))
        {
            foreach (var (key, value) in values)
            {
                if (key.StartsWith(of, StringComparison.OrdinalIgnoreCase) && (key.Length == of.Length || key[of.Length] == ':') && !string.IsNullOrWhiteSpace(value))
                {
                    found[key] = value;
                }
            }
        }

        return found;
    }
}
