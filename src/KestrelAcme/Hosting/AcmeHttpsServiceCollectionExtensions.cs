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
using KestrelAcme.Hosting;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Storage;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

// Where every application looks for the verbs of its services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds automatic HTTPS to an application.</summary>
public static class AcmeHttpsServiceCollectionExtensions
{
    /// <summary>
    /// Obtains, serves, renews and replaces the application's TLS certificates from an ACME authority (RFC 8555). Reads the section <c>AcmeHttps</c> of the configuration;
    /// what <paramref name="configure"/> sets wins over it. A second call adds its options to those of the first and is harmless otherwise.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets options in code.</param>
    /// <returns>A builder to plug in stores, challenge handlers and listeners.</returns>
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
            services.AddHostedService<AcmeHttpsService>();
        }

        return new AcmeHttpsBuilder(services);
    }

    /// <summary>
    /// Adds automatic HTTPS as <see cref="AddAcmeHttps(IServiceCollection, Action{AcmeHttpsOptions})"/> does, with the settings of another section
    /// than <see cref="AcmeHttpsOptions.SectionName"/>. Messages name the keys as if they were in that section.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configuration">The section, such as <c>builder.Configuration.GetSection("Tls")</c>. Of several calls the last one counts.</param>
    /// <returns>A builder to plug in storage, challenge handlers, DNS providers and event handlers.</returns>
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
        services.TryAddSingleton(
            static provider => new BoundedStorage(provider.GetRequiredService<IAcmeStorage>(), provider.GetRequiredService<IssuanceSettings>().StoreTime, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<CertificateStore>();
    }

    // Switched off, nothing is kept and no folder is named.
    private static IAcmeStorage CreateStorage(IServiceProvider provider)
        => provider.GetRequiredService<ConfigurationSource>().Current is { Enabled: true } configuration
            ? new FileSystemStorage(configuration.StoragePath, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<FileSystemStorage>>())
            : new InMemoryStorage(provider.GetRequiredService<TimeProvider>());

    private static void AddChallenges(IServiceCollection services)
    {
        services.TryAddSingleton<Http01TokenTable>();
        services.TryAddSingleton<TokenProbe>();
        services.TryAddSingleton<SharedTlsAlpn01Responses>();
        services.Replace(ServiceDescriptor.Singleton<ISharedChallenges>(static provider => provider.GetRequiredService<SharedTlsAlpn01Responses>()));
        services.TryAddSingleton<IPlainHttpEndpoints, PlainHttpEndpoints>();
        services.TryAddSingleton<Http01SelfCheck>();
        services.TryAddSingleton<INameRouting, NameRouting>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IChallengeHandler, Http01ChallengeHandler>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IChallengeHandler, TlsAlpn01ChallengeHandler>());
        services.AddDnsChallenges();

        // First of all start-up filters: before host filtering, forwarded headers and everything that the application adds.
        services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, Http01StartupFilter>());
    }
}
