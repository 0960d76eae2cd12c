using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.Providers;

/// <summary>A provider and what it is configured for.</summary>
internal sealed record DnsProviderEntry(DnsProviderSpecification Specification, IDnsProvider Provider);
