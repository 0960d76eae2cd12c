using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Challenges.Routing;
using KestrelAcme.Challenges.TlsAlpn01;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Hosting;
using KestrelAcme.Hosting.Doctor;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Storage;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Storage.Protection;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

// The namespace where apps look for extension methods of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds automatic HTTPS to an app.</summary>
public static class AcmeHttpsServiceCollectionExtensions
{
    /// <summary>
    /// Obtains, serves, renews and replaces the app's TLS certificates from an ACME CA (RFC 8555). Options come from the section
    /// <c>AcmeHttps</c> of the configuration; values that <paramref name="configure"/> sets win. A second call only adds its options.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configure">Sets options in code.</param>
    /// <returns>A builder to add storages, challenge handlers, DNS providers and event handlers.</returns>
    public static IAcmeHttpsBuilder AddAcmeHttps(this IServiceCollection services, Action<AcmeHttpsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddAcmeHttpsConfiguration();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        if (!services.Any(d => d.ServiceType == typeof(CertificateEngine)))
        {
            services.TryAddSingleton<ITlsSettingsSource, ConfiguredTlsSettings>();
            services.AddKestrelTls();
            AddStorage(services);
            services.AddCertificates();
            AddChallenges(services);
            services.TryAddSingleton<EndpointReport>();
            services.TryAddSingleton<EngineStart>();
            services.AddHostedService<AcmeHttpsService>();
            services.AddHostedService<OnDemandService>();
            services.AddDoctor();
        }

        return new AcmeHttpsBuilder(services);
    }

    /// <summary>
    /// Like <see cref="AddAcmeHttps(IServiceCollection, Action{AcmeHttpsOptions})"/>, with options from another configuration section than
    /// <see cref="AcmeHttpsOptions.SectionName"/>. Messages show the keys as if they were in <c>AcmeHttps</c>.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configuration">
    /// The section, such as <c>builder.Configuration.GetSection("Tls")</c>. If called more than once, the last call wins.
    /// </param>
    /// <returns>A builder to add storages, challenge handlers, DNS providers and event handlers.</returns>
    public static IAcmeHttpsBuilder AddAcmeHttps(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.Replace(ServiceDescriptor.Singleton(new PassedConfiguration(configuration)));
        return services.AddAcmeHttps();
    }

    private static void AddStorage(IServiceCollection services)
    {
        services.TryAddSingleton(CreateStorage);
        services.TryAddSingleton(CreateBoundedStorage);
        services.TryAddSingleton<CertificateStore>();
    }

    private static BoundedStorage CreateBoundedStorage(IServiceProvider provider)
    {
        var (store, protection) = (provider.GetRequiredService<IAcmeStorage>(), provider.GetService<KeyProtection>());
        var time = provider.GetRequiredService<TimeProvider>();
        return new BoundedStorage(
            protection is null ? store : new ProtectedStorage(store, protection),
            provider.GetRequiredService<IssuanceSettings>().StoreTime,
            time,
            new StorageMonitor(time, provider.GetRequiredService<AcmeHttpsMetrics>()))
        {
            Protection = protection,
        };
    }

    // If automatic HTTPS is disabled, there is no folder for a store.
    private static IAcmeStorage CreateStorage(IServiceProvider provider)
        => provider.GetRequiredService<ConfigurationSource>().Current is { Enabled: true } configuration
            ? new FileSystemStorage(
                configuration.StoragePath,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<FileSystemStorage>>())
            : new InMemoryStorage(provider.GetRequiredService<TimeProvider>());

    private static void AddChallenges(IServiceCollection services)
    {
        services.TryAddSingleton<Replicas>();
        services.TryAddSingleton<ChallengeFeed>();
        services.TryAddSingleton<Http01TokenTable>();
        services.TryAddSingleton<StatelessResponses>();
        services.AddSingleton(static provider => provider.GetRequiredService<Http01TokenTable>().Shared);
        services.AddSingleton(static provider => provider.GetRequiredService<SharedTlsAlpn01Responses>().Shared);
        services.TryAddSingleton<TokenProbe>();
        services.TryAddSingleton<SharedTlsAlpn01Responses>();
        services.Replace(ServiceDescriptor.Singleton<ISharedChallenges>(
            static provider => provider.GetRequiredService<SharedTlsAlpn01Responses>()));
        services.TryAddSingleton<IPlainHttpEndpoints, PlainHttpEndpoints>();
        services.TryAddSingleton<Http01SelfCheck>();
        services.TryAddSingleton<TrialTokens>();
        services.TryAddSingleton<INameRouting, NameRouting>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IChallengeHandler, Http01ChallengeHandler>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IChallengeHandler, TlsAlpn01ChallengeHandler>());
        services.AddDnsChallenges();

        // Before all other startup filters: the CA's requests must not reach host filtering, forwarded headers or middleware of the app.
        services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, Http01StartupFilter>());
    }
}
