using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
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
    /// <summary>
    /// Registers <see cref="ConfigurationSource"/> and the options, which are bound and validated at start. A second call has no effect.
    /// </summary>
    public static IServiceCollection AddAcmeHttpsConfiguration(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(ConfigurationSource)))
        {
            return services;
        }

        // Not ValidateOnStart: ConfigurationReloader ends a start with invalid options, and sees to it that the problems are listed once.
        services.AddOptions<AcmeHttpsOptions>();

        // Before all other services, so that code of the app that configures the options runs later and wins, even if it came before.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<AcmeHttpsOptions>, ConfigureAcmeHttpsOptions>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<AcmeHttpsOptions>, AcmeHttpsOptionsValidator>());
        services.TryAddTransient<IOptionsFactory<AcmeHttpsOptions>, AcmeHttpsOptionsFactory>();
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

/// <summary>Binds the app's configuration to the options.</summary>
internal sealed class ConfigureAcmeHttpsOptions(ConfigurationLayers layers, ILoggerFactory loggers) : IConfigureOptions<AcmeHttpsOptions>
{
    private bool _noted;

    /// <inheritdoc/>
    public void Configure(AcmeHttpsOptions options)
    {
        var reading = layers.Read();
        SnapshotReader.Remember(options, reading);
        AcmeHttpsOptionsReader.Bind(reading.Section, options);
        if ((options.LettuceEncryptNotes.Count > 0 || reading.LettuceEncryptKeys.Count > 0) && !_noted)
        {
            _noted = true;
            Note(reading.LettuceEncryptKeys, options.LettuceEncryptNotes);
        }
    }

    private void Note(IReadOnlyList<string> ofSection, List<string> notes)
    {
        List<string> lines = ofSection.Count > 0 ? [$"Section LettuceEncrypt has {string.Join(", ", ofSection)}."] : [];
        loggers.CreateLogger(typeof(LettuceEncryptNames).FullName!).LettuceEncryptNamesRead(Quoted.Lines([.. lines, .. notes]));
    }
}
