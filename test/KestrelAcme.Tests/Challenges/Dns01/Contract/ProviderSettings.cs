using KestrelAcme.Configuration;
using KestrelAcme.Tests.Configuration;

namespace KestrelAcme.Tests.Challenges.Dns01.Contract;

/// <summary>Validates options with the rules of the configuration.</summary>
internal static class ProviderSettings
{
    public static DnsProviderSettings Of(DnsProviderOptions options, DnsProviderType type)
        => TestFacts.Snapshot(all => all.DnsProviders.Add(options), TestFacts.Production with { DnsProviderTypes = [type] }).DnsProviders[0]
            .Settings;
}
