using Azure.Core;
using KestrelAcme.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Azure;

/// <summary>Adds Azure DNS as a provider for the DNS challenges.</summary>
public static class AzureDnsBuilderExtensions
{
    /// <summary>
    /// Makes the type <c>AzureDns</c> known, for elements of <c>DnsProviders</c> in the configuration. An element that names no identity of its own uses the <see cref="TokenCredential"/> among
    /// the application's services, and without one <c>DefaultAzureCredential</c>.
    /// </summary>
    public static IAcmeHttpsBuilder AddAzureDns(this IAcmeHttpsBuilder builder) => builder.AddDnsProviderType(
        AzureDnsOptions.ProviderType,
        (services, settings) => new AzureDnsProvider(settings, AzureCredentials.Choose(settings, services.GetService<TokenCredential>()), transport: null, services.GetRequiredService<TimeProvider>()));

    /// <summary>Adds one provider in code; see <see cref="AddAzureDns(IAcmeHttpsBuilder)"/>.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Says which zones there are, and as whom they are changed.</param>
    public static IAcmeHttpsBuilder AddAzureDns(this IAcmeHttpsBuilder builder, Action<AzureDnsOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new AzureDnsOptions();
        configure(options);
        return builder.AddAzureDns().AddDnsProvider(options);
    }
}
