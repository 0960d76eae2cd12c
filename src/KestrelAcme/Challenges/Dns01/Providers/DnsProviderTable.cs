using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Challenges.Dns01.Providers;

/// <summary>The configured providers. Each is created at first use and kept as long as its settings do not change.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class DnsProviderTable(
    ConfigurationSource configuration, IEnumerable<DnsProviderKind> kinds, IServiceProvider services) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<DnsProviderSettings, IDnsProvider> _providers = [];

    /// <returns>The provider for a record, or <see langword="null"/> if there is none.</returns>
    public DnsProviderEntry? Find(string recordName, string challengeName)
    {
        var specifications = configuration.Current.DnsProviders;
        return DnsProviderPolicy.Choose([.. specifications.Select(s => s.Zones)], recordName, challengeName) is { } index
            ? new DnsProviderEntry(specifications[index], Get(specifications[index].Settings))
            : null;
    }

    /// <summary>Describes the configured providers, for messages.</summary>
    public string Describe()
    {
        var specifications = configuration.Current.DnsProviders;
        return specifications.Count == 0
            ? "none"
            : string.Join("; ", specifications.Select(s => $"{s.Settings.Type} for {ZonesOf(s)}"));

        static string ZonesOf(DnsProviderSpecification specification)
            => specification.Zones.Count == 0 ? "all zones" : string.Join(", ", specification.Zones);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var provider in _providers.Values.OfType<IDisposable>())
            {
                provider.Dispose();
            }

            _providers.Clear();
        }
    }

    // A provider that a reload has removed is kept until the end, because an order may still use it, and reloads are rare.
    private IDnsProvider Get(DnsProviderSettings settings)
    {
        lock (_gate)
        {
            if (!_providers.TryGetValue(settings, out var provider))
            {
                var kind = kinds.Last(k => string.Equals(k.TypeName, settings.Type, StringComparison.OrdinalIgnoreCase));
                _providers[settings] = provider = kind.Create(services, settings);
            }

            return provider;
        }
    }
}

/// <summary>A provider and its configuration.</summary>
internal sealed record DnsProviderEntry(DnsProviderSpecification Specification, IDnsProvider Provider);

/// <summary>How providers of one type are created.</summary>
/// <param name="TypeName">The name of the type.</param>
/// <param name="Create">Creates a provider. Called once for each configured provider.</param>
internal sealed record DnsProviderKind(string TypeName, Func<IServiceProvider, DnsProviderSettings, IDnsProvider> Create);

/// <summary>Chooses a provider by its zones. Pure.</summary>
internal static class DnsProviderPolicy
{
    /// <summary>
    /// Returns the index of the provider whose zone is the longest at or above the record's name; otherwise, at or above the name before
    /// CNAMEs; otherwise, that of a provider without zones; otherwise <see langword="null"/>.
    /// </summary>
    public static int? Choose(IReadOnlyList<IReadOnlyList<string>> zones, string recordName, string challengeName)
        => Longest(zones, recordName) ?? Longest(zones, challengeName) ?? WithoutZones(zones);

    private static int? Longest(IReadOnlyList<IReadOnlyList<string>> zones, string name)
    {
        int? best = null;
        var length = 0;
        for (var i = 0; i < zones.Count; i++)
        {
            foreach (var zone in zones[i].Where(zone => zone.Length > length && Covers(zone, name)))
            {
                (best, length) = (i, zone.Length);
            }
        }

        return best;
    }

    private static int? WithoutZones(IReadOnlyList<IReadOnlyList<string>> zones)
    {
        for (var i = 0; i < zones.Count; i++)
        {
            if (zones[i].Count == 0)
            {
                return i;
            }
        }

        return null;
    }

    private static bool Covers(string zone, string name)
        => name.EndsWith(zone, StringComparison.OrdinalIgnoreCase)
            && (name.Length == zone.Length || name[name.Length - zone.Length - 1] == '.');
}
