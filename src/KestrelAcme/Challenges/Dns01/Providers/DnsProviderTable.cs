using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Challenges.Dns01.Providers;

/// <summary>The providers of the configuration in force. Each is made when it is first needed, and kept for as long as its settings stay.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class DnsProviderTable(ConfigurationSource configuration, IEnumerable<DnsProviderKind> kinds, IServiceProvider services) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<DnsProviderSettings, IDnsProvider> _providers = [];

    /// <returns>The provider for a record, or <see langword="null"/> when none is for it.</returns>
    public DnsProviderEntry? Find(string recordName, string challengeName)
    {
        var specifications = configuration.Current.DnsProviders;
        return DnsProviderPolicy.Choose([.. specifications.Select(s => s.Zones)], recordName, challengeName) is { } index
            ? new DnsProviderEntry(specifications[index], Get(specifications[index].Settings))
            : null;
    }

    /// <summary>What is configured, for messages.</summary>
    public string Describe()
    {
        var specifications = configuration.Current.DnsProviders;
        return specifications.Count == 0 ? "none" : string.Join("; ", specifications.Select(s => $"{s.Settings.Type} for {(s.Zones.Count == 0 ? "all zones" : string.Join(", ", s.Zones))}"));
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

    // A provider whose settings are gone after a reload is kept until the end: an order may still be using it, and reloads are rare.
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

/// <summary>A provider and what it is configured for.</summary>
internal sealed record DnsProviderEntry(DnsProviderSpecification Specification, IDnsProvider Provider);

/// <summary>How providers of one type are made.</summary>
/// <param name="TypeName">The type's name.</param>
/// <param name="Create">Makes one; called once for each element of the configuration.</param>
internal sealed record DnsProviderKind(string TypeName, Func<IServiceProvider, DnsProviderSettings, IDnsProvider> Create);
