using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Attempts;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Domains;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Import;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Certificates.Stored;
using KestrelAcme.Certificates.Upkeep;
using KestrelAcme.Challenges;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace KestrelAcme.Hosting;

/// <summary>Registers the certificate engine, room by room, from the bottom up.</summary>
internal static class CertificateServiceCollectionExtensions
{
    /// <summary>Registers the certificate engine and its services, except the store, TLS and the challenges.</summary>
    public static void AddCertificates(this IServiceCollection services)
    {
        services.TryAddSingleton<JitterSource>(Random.Shared.NextDouble);
        services.TryAddSingleton(new IssuanceSettings());
        services.TryAddSingleton<CertificateCatalog>();
        services.TryAddSingleton<Func<IEnumerable<ICertificateEventHandler>>>(
            static provider => provider.GetServices<ICertificateEventHandler>);
        services.TryAddSingleton<CertificateEventHub>();
        AddDomains(services);
        AddAuthorities(services);
        AddRateLimits(services);
        AddOrders(services);
        AddScheduling(services);
        AddAttempts(services);
        AddRevocation(services);
        AddStored(services);
        AddOnDemand(services);
        AddEngine(services);
    }

    private static void AddDomains(IServiceCollection services)
    {
        services.TryAddSingleton<DomainStore>();
        services.TryAddSingleton<Func<IEnumerable<IDomainSource>>>(static provider => provider.GetServices<IDomainSource>);
        services.TryAddSingleton<WantedCertificates>();
        services.TryAddSingleton<DomainWatcher>();
    }

    private static void AddAuthorities(IServiceCollection services)
    {
        services.TryAddSingleton<IAuthorityClientFactory, AcmeAuthorityClientFactory>();
        services.TryAddSingleton<AuthorityRegistry>();
        services.TryAddSingleton<IAccountThumbprints, AccountThumbprints>();
        services.TryAddSingleton<AuthorityChoice>();
    }

    private static void AddRateLimits(IServiceCollection services)
    {
        services.TryAddSingleton<NewOrderRateLimiter>();
        services.TryAddSingleton<IWorkGate>(static provider => provider.GetRequiredService<NewOrderRateLimiter>());
        services.TryAddSingleton<NewOrderRateLimiterStore>();
        services.TryAddSingleton<AccountHolds>();
        services.TryAddSingleton<OrderLimits>();
    }

    private static void AddOrders(IServiceCollection services)
    {
        services.TryAddSingleton<OrderProgress>();
        services.TryAddSingleton<CertificateLeases>();
        services.TryAddSingleton<ChallengeHandlers>();
        services.TryAddSingleton<TlsAlpnNameLocks>();
        services.TryAddSingleton<AuthorizationFlow>();
        services.TryAddSingleton<ChallengeValidation>();
        services.TryAddSingleton<CaaStep>();
        services.TryAddSingleton<PersistStep>();
        services.TryAddSingleton<CertificateDownload>();
        services.TryAddSingleton<Rehearsal>();
        services.TryAddSingleton<OrderFlow>();
    }

    private static void AddScheduling(IServiceCollection services)
    {
        services.TryAddSingleton<IssuanceStatus>();
        services.TryAddSingleton<IssuanceGate>();
        services.TryAddSingleton<OrderTurns>();
        services.TryAddSingleton<CertificatePlanner>();
        services.TryAddSingleton<CertificateScheduler>();
        services.TryAddSingleton<CertificateAgenda>();
        services.TryAddSingleton<RecordWatch>();
        services.TryAddSingleton<RenewalInfoTurns>();
        services.TryAddSingleton<RenewalInfoPoller>();
    }

    private static void AddAttempts(IServiceCollection services)
    {
        services.TryAddSingleton<CertificateExporter>();
        services.TryAddSingleton<CertificateCommitter>();
        services.TryAddSingleton<FailureRecorder>();
        services.TryAddSingleton<Abandonment>();
        services.TryAddSingleton<MaintenanceStep>();
        services.TryAddSingleton<OrderAdmission>();
        services.TryAddSingleton<OrderRunner>();
        services.TryAddSingleton<CertificateWorker>();
    }

    private static void AddRevocation(IServiceCollection services)
    {
        services.TryAddSingleton(static provider => new RevocationListClient(provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<RevocationCheck>();
        services.TryAddSingleton<RevocationWatcher>();
        services.TryAddSingleton<CertificateRevoker>();
    }

    private static void AddStored(IServiceCollection services)
    {
        // Created only if something is to be imported.
        services.TryAddSingleton<ImportCommitter>();
        services.TryAddSingleton<CertificateImport>();
        services.TryAddSingleton<Func<CertificateImport>>(static provider => provider.GetRequiredService<CertificateImport>);
        services.TryAddSingleton<CertificateLoader>();
        services.TryAddSingleton<RetiredCertificates>();
        services.TryAddSingleton<LoadQueue>();
        services.TryAddSingleton<LoadReport>();
        services.TryAddSingleton<StoreSentinel>();
        services.TryAddSingleton<CertificateLoadGate>();
        services.Replace(
            ServiceDescriptor.Singleton<ICertificateLoadGate>(static provider => provider.GetRequiredService<CertificateLoadGate>()));
        services.TryAddSingleton<StoredCertificateAdopter>();
        services.TryAddSingleton<StorageWatcher>();
        services.TryAddSingleton<StoreFiller>();
    }

    // Nothing of it is created unless it is configured.
    private static void AddOnDemand(IServiceCollection services)
    {
        services.TryAddSingleton<OnDemandNames>();
        services.TryAddSingleton<DeniedNames>();
        services.TryAddSingleton<OnDemandDenials>();
        services.TryAddSingleton<OnDemandOrders>();
        services.TryAddSingleton<OnDemandPermission>();
        services.TryAddSingleton<OnDemandAddressCheck>();
        services.TryAddSingleton<NewNames>();
        services.TryAddSingleton<OnDemandCertificates>();
        services.TryAddSingleton<OnDemandIssuance>();
        services.TryAddSingleton<OnDemandLife>();
        services.TryAddSingleton(static provider => new Lazy<OnDemandLife>(provider.GetRequiredService<OnDemandLife>));
        services.TryAddSingleton<OnDemandUpkeep>();
        services.TryAddSingleton<OnDemandGate>();
    }

    private static void AddEngine(IServiceCollection services)
    {
        services.TryAddSingleton<Housekeeper>();
        services.TryAddSingleton<CertificateReconciler>();
        services.TryAddSingleton<BackgroundLoops>();
        services.TryAddSingleton<EngineRequests>();
        services.TryAddSingleton<CertificateEngine>();
        services.TryAddSingleton<CertificateOverview>();
        services.TryAddSingleton<CertificateGauges>();
        services.TryAddSingleton<ICertificateManager, CertificateManager>();
    }
}
