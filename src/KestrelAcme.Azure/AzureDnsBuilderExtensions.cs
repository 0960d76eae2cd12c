using Azure.Core;
using KestrelAcme.Azure;
using KestrelAcme.Hosting;

// Where ASP.NET Core apps look for the verbs of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds Azure DNS as a provider for the DNS challenges.</summary>
public static class AzureDnsBuilderExtensions
{
    /// <summary>
    /// Adds the type <c>AzureDns</c>, which elements of <c>DnsProviders</c> in the configuration may name, and, with
    /// <paramref name="configure"/>, one such element in code.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets the zones and the identity of an element; <see langword="null"/> to add the type alone.</param>
    /// <returns>The builder.</returns>
    /// <remarks>
    /// An element without an identity of its own uses the <see cref="TokenCredential"/> among the app's services, and without one
    /// <c>DefaultAzureCredential</c>.
    /// </remarks>
    public static IAcmeHttpsBuilder AddAzureDns(this IAcmeHttpsBuilder builder, Action<AzureDnsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddDnsProviderKind(
            AzureDnsOptions.ProviderType,
            (services, settings) => new AzureDnsProvider(
                settings,
                AzureCredentials.Choose(settings, services.GetService<TokenCredential>()),
                transport: null,
                services.GetRequiredService<TimeProvider>()));
        if (configure is null)
        {
            return builder;
        }

        var options = new AzureDnsOptions();
        configure(options);
        return builder.AddDnsProvider(options);
    }
}
