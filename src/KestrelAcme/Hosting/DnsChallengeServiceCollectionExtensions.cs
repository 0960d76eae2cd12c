using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.AcmeDns;
using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.Challenges.Dns01.Cloudflare;
using KestrelAcme.Challenges.Dns01.Exec;
using KestrelAcme.Challenges.Dns01.Persist;
using KestrelAcme.Challenges.Dns01.PowerDns;
using KestrelAcme.Challenges.Dns01.Propagation;
using KestrelAcme.Challenges.Dns01.Providers;
using KestrelAcme.Challenges.Dns01.Records;
using KestrelAcme.Challenges.Dns01.Rfc2136;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting;

/// <summary>Registers the DNS challenges and the providers of the core.</summary>
internal static class DnsChallengeServiceCollectionExtensions
{
    /// <summary>Registers the DNS challenges and their services. A second call has no effect.</summary>
    public static IServiceCollection AddDnsChallenges(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(DnsChallengeFlow)))
        {
            return services;
        }

        services.TryAddSingleton(DnsEndPointMap.Standard);
        services.TryAddSingleton<DnsAccess>();
        services.TryAddSingleton<DnsProviderTable>();
        services.TryAddSingleton<ChallengeRecordLocator>();
        services.TryAddSingleton<PropagationWait>();
        services.TryAddSingleton<DnsChallengeFlow>();
        AddRecords(services);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IChallengeHandler, Dns01ChallengeHandler>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IChallengeHandler, DnsAccount01ChallengeHandler>());
        services.TryAddSingleton<PersistCheck>();
        services.TryAddSingleton<RecordLook>();
        services.TryAddSingleton<ICaaCheck, CaaCheck>();
        services.TryAddSingleton<ICaaAccounts, CaaAccounts>();
        AddProviders(services);
        return services;
    }

    /// <summary>Registers a type of provider.</summary>
    public static void AddDnsProviderKind(
        this IServiceCollection services, DnsProviderType type, Func<IServiceProvider, DnsProviderSettings, IDnsProvider> factory)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(factory);
        services.AddSingleton(type);
        services.AddSingleton(new DnsProviderKind(type.Name, factory));
    }

    private static void AddRecords(IServiceCollection services)
    {
        services.TryAddSingleton<RecordOwner>();
        services.TryAddSingleton<RecordJournal>();
        services.TryAddSingleton<RecordNameLocks>();
        services.TryAddSingleton<RecordWriter>();
        services.TryAddSingleton<StaleRecordSweep>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, StaleRecordService>());
    }

    private static void AddProviders(IServiceCollection services)
    {
        services.AddDnsProviderKind(
            Rfc2136Options.ProviderType,
            (provider, settings) => Rfc2136Provider.Create(settings, provider.GetRequiredService<DnsAccess>()));
        services.AddDnsProviderKind(
            PowerDnsOptions.ProviderType,
            (provider, settings) => new PowerDnsProvider(
                WarnOfPlainHttp(provider, settings), provider.GetRequiredService<TimeProvider>()));
        services.AddDnsProviderKind(
            CloudflareOptions.ProviderType,
            (provider, settings) => new CloudflareProvider(settings, provider.GetRequiredService<TimeProvider>()));
        services.AddDnsProviderKind(
            AcmeDnsOptions.ProviderType,
            (provider, settings) => new AcmeDnsProvider(
                settings,
                provider.GetRequiredService<BoundedStorage>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<AcmeDnsProvider>>()));
        services.AddDnsProviderKind(
            ExecOptions.ProviderType,
            (provider, settings) => new ExecProvider(settings, provider.GetRequiredService<TimeProvider>()));
    }

    private static DnsProviderSettings WarnOfPlainHttp(IServiceProvider provider, DnsProviderSettings settings)
    {
        if (Uri.TryCreate(settings.Find(nameof(PowerDnsOptions.ApiUrl)), UriKind.Absolute, out var url)
            && url.Scheme == Uri.UriSchemeHttp
            && !url.IsLoopback)
        {
            provider.GetRequiredService<ILogger<DnsProviderTable>>().PlainHttpProvider(settings.Type, url.Authority);
        }

        return settings;
    }
}
