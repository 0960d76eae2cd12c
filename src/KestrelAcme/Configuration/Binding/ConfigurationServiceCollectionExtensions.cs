using KestrelAcme.Configuration.Snapshot;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Registers the configuration.</summary>
internal static class ConfigurationServiceCollectionExtensions
{
    /// <summary>Registers the options, bound once and validated at start, and <see cref="ConfigurationSource"/>. A second call does nothing.</summary>
    public static IServiceCollection AddAcmeHttpsConfiguration(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(ConfigurationSource)))
        {
            return services;
        }

        services.AddOptions<AcmeHttpsOptions>().ValidateOnStart();

        // First of all services: what the app configures in code, before or after this call, then runs later and wins.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<AcmeHttpsOptions>, ConfigureAcmeHttpsOptions>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<AcmeHttpsOptions>, AcmeHttpsOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => EnvironmentFacts.Of(provider.GetService<IHostEnvironment>()) with
        {
            OtherServer = EnvironmentFacts.FindOtherServer(services),
            DnsProviderTypes = [.. provider.GetServices<DnsProviderType>()],
            ExperimentalChallengeTypes = [.. provider.GetServices<ExperimentalChallengeType>().Select(type => type.Name)],
        });
        services.TryAddSingleton(provider => ConfigurationLayers.Create(
            provider.GetService<IConfiguration>(), provider.GetService<PassedConfiguration>()?.Configuration));
        services.TryAddSingleton<SnapshotReader>();
        services.TryAddSingleton(provider => new ConfigurationSource(
            provider.GetRequiredService<SnapshotReader>().ReadFirst,
            provider.GetRequiredService<ILogger<ConfigurationSource>>()));
        services.AddHostedService<ConfigurationReloader>();
        return services;
    }
}

/// <summary>The configuration that was passed to <c>AddAcmeHttps</c>, instead of the app's section <c>AcmeHttps</c>.</summary>
internal sealed record PassedConfiguration(IConfiguration Configuration);

/// <summary>Binds the app's configuration. It stands first among the services, so that whatever the app sets in code comes after it and wins.</summary>
internal sealed class ConfigureAcmeHttpsOptions(ConfigurationLayers layers) : IConfigureOptions<AcmeHttpsOptions>
{
    /// <inheritdoc/>
    public void Configure(AcmeHttpsOptions options)
    {
        var reading = layers.Read();
        SnapshotReader.Remember(options, reading);
        AcmeHttpsConfigurationBinder.Bind(reading.Section, options);
    }
}
