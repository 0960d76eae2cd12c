using Azure.Core;
using KestrelAcme.Azure;

// The namespace in which ASP.NET Core apps look for registration methods.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds Azure DNS as a provider for DNS challenges.</summary>
public static class AzureDnsBuilderExtensions
{
    /// <summary>
    /// Registers the provider type <c>AzureDns</c> for use in the <c>DnsProviders</c> configuration section, and adds one provider in code
    /// if <paramref name="configure"/> is set.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Configures the zones and the identity; <see langword="null"/> to register only the type.</param>
    /// <returns>The builder.</returns>
    /// <remarks>
    /// A provider without an identity of its own uses the <see cref="TokenCredential"/> from the app's services or, without one,
    /// <c>DefaultAzureCredential</c>.
    /// </remarks>
    public static IAcmeHttpsBuilder AddAzureDns(this IAcmeHttpsBuilder builder, Action<AzureDnsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.AddDnsProviderType<AzureDnsOptions>(
            AzureDnsOptions.TypeName,
            (services, options) => new AzureDnsProvider(
                options,
                AzureCredentials.Choose(options, services.GetService<TokenCredential>()),
                transport: null,
                services.GetRequiredService<TimeProvider>()));
        if (configure is null)
        {
            return builder;
        }

        var one = new AzureDnsOptions();
        configure(one);
        return builder.AddDnsProvider(one);
    }
}
