using KestrelAcme.Configuration.Rules;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Configuration.Binding;

/// <summary>
/// Reads section <c>AcmeHttps</c>, or the one that the app passed, source by source, so that a reload can tell a changed setting from a
/// missing one. Deployment tools delete and rewrite files, and a half-written file reads as empty: without its <c>DirectoryUrl</c>, the app
/// would order from the default CA within seconds.
/// </summary>
/// <remarks>
/// Safe for concurrent use. Until a configuration was accepted, the values are used as they are: a restart applies everything.
/// </remarks>
internal sealed class ConfigurationLayers(IConfiguration? configuration = null, string path = AcmeHttpsOptions.SectionName)
{
    private static readonly Comparer<KeyValuePair<string, string?>> ByKey =
        Comparer<KeyValuePair<string, string?>>.Create((a, b) => StringComparer.Ordinal.Compare(a.Key, b.Key));

    private volatile LayeredConfiguration? _accepted;

    /// <summary>The configuration that is read; <see langword="null"/> in an app without one.</summary>
    public IConfiguration? Configuration => configuration;

    /// <summary>Creates the layers of the app's own section <c>AcmeHttps</c>, or of the configuration that was passed.</summary>
    public static ConfigurationLayers Create(IConfiguration? ofApp, IConfiguration? passed) => passed switch
    {
        null => new ConfigurationLayers(ofApp),
        IConfigurationRoot root => new ConfigurationLayers(
            root, root.GetSection(AcmeHttpsOptions.SectionName).Exists() ? AcmeHttpsOptions.SectionName : ""),

        // A section does not expose its sources. If it is a section of the app's configuration, its sources are those of the app.
        IConfigurationSection section when ofApp is IConfigurationRoot && IsSame(section, ofApp.GetSection(section.Path))
            => new ConfigurationLayers(ofApp, section.Path),
        _ => new ConfigurationLayers(passed, ""),
    };

    /// <summary>
    /// Reads all sources. If a source lost all its settings, or the configuration lost one of
    /// <see cref="AcmeHttpsOptionsReader.KeptWhenMissing"/>, the values of the last accepted configuration are kept.
    /// </summary>
    public LayeredConfiguration Read()
    {
        // Taken first, so that a change during the reading counts.
        var changes = configuration?.GetReloadToken();
        var layers = Providers(configuration).Select(provider => ConfigurationLayer.Read(provider, path)).ToList();
        var isMoving = path == AcmeHttpsOptions.SectionName
            && configuration?.GetSection(LettuceEncryptNames.Section).GetChildren().Any() == true;
        IReadOnlyList<string> renamed = isMoving ? LettuceEncryptNames.AddSection(layers) : [];
        if (_accepted is not { } accepted)
        {
            return new LayeredConfiguration(layers, ConfigurationMerge.Merge(layers), [], [])
            {
                LettuceEncryptKeys = renamed, Changes = changes,
            };
        }

        var lost = KeepLost(layers, accepted.Layers);
        var kept = KeepNames(layers, accepted.Layers);
        var values = ConfigurationMerge.Merge(layers);
        kept.AddRange(KeepMissing(values, layers, accepted));
        return new LayeredConfiguration(layers, values, lost, kept) { LettuceEncryptKeys = renamed, Changes = changes };
    }

    /// <summary>Makes a configuration the one that later ones are compared with.</summary>
    public void Accept(LayeredConfiguration reading) => _accepted = reading;

    /// <summary>
    /// Whether a source lost its settings without a change notification, as happens if a file can no longer be parsed.
    /// </summary>
    public bool HasLostSource()
        => _accepted is { } accepted && accepted.Layers.Any(layer => !accepted.LostSources.Contains(layer.Name) && layer.IsEmptied());

    private static bool IsSame(IConfigurationSection section, IConfigurationSection other)
        => section.AsEnumerable(makePathsRelative: true).Order(ByKey)
            .SequenceEqual(other.AsEnumerable(makePathsRelative: true).Order(ByKey));

    private static IEnumerable<IConfigurationProvider> Providers(IConfiguration? configuration) => configuration switch
    {
        null => [],
        IConfigurationRoot root => root.Providers.SelectMany(provider =>
            provider is ChainedConfigurationProvider { Configuration: IConfigurationRoot inner } ? Providers(inner) : [provider]),
        _ => [new ChainedConfigurationProvider(new ChainedConfigurationSource { Configuration = configuration })],
    };

    // By name too, since adding a source to a configuration may create all its providers again.
    private static ConfigurationLayer? Find(ConfigurationLayer layer, IReadOnlyList<ConfigurationLayer> among)
        => among.FirstOrDefault(other => ReferenceEquals(other.Provider, layer.Provider))
            ?? among.FirstOrDefault(other => other.Name == layer.Name);

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

    // Keeps the names of a source that lost them but has other settings, unless the names were moved to another source.
    private static List<string> KeepNames(List<ConfigurationLayer> layers, IReadOnlyList<ConfigurationLayer> accepted)
    {
        var keys = AcmeHttpsOptionsReader.NameKeys;
        if (layers.Exists(layer => In(keys, layer.Values).Any(pair => IsNew(pair.Key, pair.Value, layer, accepted))))
        {
            return [];
        }

        var kept = new List<string>();
        for (var i = 0; i < layers.Count; i++)
        {
            if (Find(layers[i], accepted) is { } before
                && In(keys, before.Values) is { Count: > 0 } names
                && In(keys, layers[i].Values).Count == 0)
            {
                var values = names.Concat(layers[i].Values)
                    .DistinctBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase)
                    .ToDictionary(StringComparer.OrdinalIgnoreCase);
                layers[i] = layers[i] with { Values = values };
                kept.AddRange(names.Keys);
            }
        }

        return kept;
    }

    private static List<string> KeepMissing(
        Dictionary<string, string?> values, List<ConfigurationLayer> layers, LayeredConfiguration accepted)
    {
        var kept = new List<string>();
        foreach (var group in AcmeHttpsOptionsReader.KeptWhenMissing)
        {
            var before = In(group, accepted.Values);
            var now = In(group, values);

            // If a setting is gone, the setting of a source with lower precedence may become visible: that is not an intended change
            // either.
            bool IsMeant(string key)
                => now.TryGetValue(key, out var value)
                    && layers.FindLast(layer => layer.Values.TryGetValue(key, out var own) && own == value) is { } layer
                    && IsNew(key, value, layer, accepted.Layers);
            var isMeant = ReferenceEquals(group, AcmeHttpsOptionsReader.AuthorityKeys)
                ? now.Keys.Any(key => IsDirectory(key) && IsMeant(key))
                : AcmeHttpsOptionsReader.ListKeys.Contains(group) && now.Count > 0;
            if (isMeant)
            {
                continue;
            }

            foreach (var (key, value) in before.Where(pair => now.GetValueOrDefault(pair.Key) != pair.Value && !IsMeant(pair.Key)))
            {
                values[key] = value;
                kept.Add(key);
            }
        }

        return kept;
    }

    private static bool IsNew(string key, string? value, ConfigurationLayer layer, IReadOnlyList<ConfigurationLayer> accepted)
        => Find(layer, accepted)?.Values.GetValueOrDefault(key) != value;

    private static bool IsDirectory(string key)
        => key.EndsWith(":" + nameof(AcmeHttpsOptions.DirectoryUrl), StringComparison.OrdinalIgnoreCase);

    private static Dictionary<string, string?> In(IReadOnlyList<string> group, IReadOnlyDictionary<string, string?> values)
    {
        var found = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var of in group.Select(ConfigurationKeys.Of))
        {
            foreach (var (key, value) in values)
            {
                if (key.StartsWith(of, StringComparison.OrdinalIgnoreCase)
                    && (key.Length == of.Length || key[of.Length] == ':')
                    && !string.IsNullOrWhiteSpace(value))
                {
                    found[key] = value;
                }
            }
        }

        return found;
    }
}

/// <summary>The configuration at one point in time.</summary>
/// <param name="Layers">The sources, in ascending precedence.</param>
/// <param name="Values">The effective values, by full key.</param>
/// <param name="LostSources">The sources that lost their settings, whose last settings stay in use.</param>
/// <param name="KeptKeys">Single settings that are missing, whose last values stay in use.</param>
internal sealed record LayeredConfiguration(
    IReadOnlyList<ConfigurationLayer> Layers,
    IReadOnlyDictionary<string, string?> Values,
    IReadOnlyList<string> LostSources,
    IReadOnlyList<string> KeptKeys)
{
    /// <summary>The settings that were read in the section <c>LettuceEncrypt</c>.</summary>
    public IReadOnlyList<string> LettuceEncryptKeys { get; init; } = [];

    /// <summary>Tells whether the configuration has changed since it was read; <see langword="null"/> in an app without one.</summary>
    public IChangeToken? Changes { get; init; }

    /// <summary>The section, as the framework would read it.</summary>
    public IConfigurationSection Section
        => new ConfigurationBuilder().AddInMemoryCollection(Values).Build().GetSection(AcmeHttpsOptions.SectionName);

    /// <summary>A sentence for each list whose entries come from several sources.</summary>
    public IReadOnlyList<string> MixedLists => ConfigurationMerge.MixedLists(Layers);
}
