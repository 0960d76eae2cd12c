using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>Registers TLS and the setup of Kestrel.</summary>
internal static class KestrelTlsServiceCollectionExtensions
{
    /// <summary>
    /// Registers <see cref="ITlsPublisher"/>, and makes Kestrel serve the published certificates. A second call has no effect.
    /// </summary>
    public static IServiceCollection AddKestrelTls(this IServiceCollection services)
    {
        if (services.Any(descriptor => descriptor.ServiceType == typeof(KestrelTlsSetup)))
        {
            return services;
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.TryAddSingleton<AcmeHttpsMetrics>();
        services.TryAddSingleton<ITlsSettingsSource>(new FixedTlsSettings(new TlsSettings()));
        services.TryAddSingleton<SessionPins>();
        services.TryAddSingleton<CertificateContexts>();
        services.TryAddSingleton<PlaceholderCertificate>();
        services.TryAddSingleton<ReportedNames>();
        services.TryAddSingleton<TlsCertificateTable>();
        services.TryAddSingleton<ITlsPublisher>(static provider => provider.GetRequiredService<TlsCertificateTable>());
        services.TryAddSingleton<ICertificateLoadGate, NoCertificateLoadGate>();
        services.TryAddSingleton<ISharedChallenges, NoSharedChallenges>();
        services.TryAddSingleton<TlsSelector>();
        services.TryAddSingleton<ChallengeResponder>();
        services.TryAddSingleton<ClientHelloServices>();
        services.TryAddSingleton<FallbackCertificate>();
        services.TryAddSingleton<AppCertificateContexts>();
        services.TryAddSingleton<NamelessClients>();
        services.TryAddSingleton<HttpsEndpointServices>();
        services.TryAddSingleton<KestrelEndpoints>();
        services.TryAddSingleton<Http3Start>();
        services.TryAddSingleton<KestrelTlsSetup>();

        // Before all other services: endpoints that the app opens while it configures Kestrel need these defaults.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<KestrelServerOptions>>(
            static provider => provider.GetRequiredService<KestrelTlsSetup>()));
        services.AddSingleton<IPostConfigureOptions<KestrelServerOptions>>(
            static provider => provider.GetRequiredService<KestrelTlsSetup>());
        return services;
    }
}
