using KestrelAcme.Configuration.Binding;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Tests.Configuration;

/// <summary>A configuration that tests change, like an editor that saves appsettings.json.</summary>
internal sealed class ChangingConfiguration : ConfigurationProvider, IConfigurationSource
{
    public ChangingConfiguration(params (string Key, string? Value)[] values) => Set(values);

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public void Change(params (string Key, string? Value)[] values)
    {
        Set(values);
        OnReload();
    }

    /// <summary>Loses all values without a change notification, like a file that can no longer be parsed.</summary>
    public void Empty() => Set([]);

    private void Set((string Key, string? Value)[] values)
        => Data = values.ToDictionary(pair => $"AcmeHttps:{pair.Key}", pair => pair.Value, StringComparer.OrdinalIgnoreCase);
}

/// <summary>Gives the reloader of an app a clock of its own, which a test advances. Everything else takes real time.</summary>
internal static class ReloaderClock
{
    /// <summary>Replaces the clock of the reloader that <c>AddAcmeHttps</c> has registered.</summary>
    public static void SetReloaderClock(this IServiceCollection services, TimeProvider clock)
    {
        services.Remove(services.Single(service => service.ImplementationType == typeof(ConfigurationReloader)));
        services.AddHostedService(provider => ActivatorUtilities.CreateInstance<ConfigurationReloader>(provider, clock));
    }
}
