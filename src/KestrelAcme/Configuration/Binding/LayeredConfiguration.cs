using KestrelAcme.Configuration.Rules;
using Microsoft.Extensions.Configuration;

namespace KestrelAcme.Configuration.Binding;

/// <summary>One reading of the configuration.</summary>
/// <param name="Layers">The sources, the one that wins last.</param>
/// <param name="Values">The values that count, by full key.</param>
/// <param name="LostSources">The sources that say nothing any more, and whose last settings are used on.</param>
/// <param name="KeptKeys">Single settings that are missing, and whose last values are used on.</param>
internal sealed record LayeredConfiguration(
    IReadOnlyList<ConfigurationLayer> Layers, IReadOnlyDictionary<string, string?> Values, IReadOnlyList<string> LostSources, IReadOnlyList<string> KeptKeys)
{
    /// <summary>The section, as the framework would read it.</summary>
    public IConfigurationSection Section
        => new ConfigurationBuilder().AddInMemoryCollection(Values).Build().GetSection(AcmeHttpsOptions.SectionName);

    /// <summary>The lists whose entries come from several sources, a sentence each.</summary>
    public IReadOnlyList<string> MixedLists => ConfigurationMerge.MixedLists(Layers);
}
