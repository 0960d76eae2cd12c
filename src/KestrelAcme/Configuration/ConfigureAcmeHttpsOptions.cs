using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Configuration;

/// <summary>Binds the app's configuration. It stands first among the services, so that whatever the app sets in code comes after it and wins.</summary>
internal sealed class ConfigureAcmeHttpsOptions(IConfiguration? configuration = null) : IConfigureOptions<AcmeHttpsOptions>
{
    /// <inheritdoc/>
    public void Configure(AcmeHttpsOptions options)
    {
        if (configuration is not null)
        {
            AcmeHttpsConfigurationBinder.Bind(configuration.GetSection(ConfigurationKeys.Section), options);
        }
    }
}
