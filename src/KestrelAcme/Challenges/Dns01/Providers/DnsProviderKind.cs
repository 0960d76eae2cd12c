using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.Providers;

/// <summary>How providers of one type are made.</summary>
/// <param name="TypeName">The type's name.</param>
/// <param name="Create">Makes one; called once for each element of the configuration.</param>
internal sealed record DnsProviderKind(string TypeName, Func<IServiceProvider, DnsProviderSettings, IDnsProvider> Create);
