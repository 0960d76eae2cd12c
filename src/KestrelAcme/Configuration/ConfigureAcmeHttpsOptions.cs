using Microsoft.Extensions.Options;

namespace KestrelAcme.Configuration;

/// <summary>Binds the app's configuration. It stands first among the services, so that whatever the app sets in code comes after it and wins.</summary>
internal sealed class ConfigureAcmeHttpsOptions(ConfigurationLayers layers) : IConfigureOptions<AcmeHttpsOptions>
{
    /// <inheritdoc/>
    public void Configure(AcmeHttpsOptions options)
    {
        var reading = layers.Read();
        options.Reading = reading;
        AcmeHttpsConfigurationBinder.Bind(reading.Section, options);
    }
}
