using Azure.Core;
using Azure.Identity;
using KestrelAcme.Configuration;

namespace KestrelAcme.Azure;

/// <summary>Selects the identity that changes zones.</summary>
internal static class AzureCredentials
{
    /// <summary>
    /// Selects the first available: a service principal, a managed identity, the application's own credential, or the
    /// environment's.
    /// </summary>
    public static TokenCredential Choose(DnsProviderSettings settings, TokenCredential? ofApplication)
    {
        var host = settings.Find(nameof(AzureDnsOptions.AuthorityHost)) is { } text ? new Uri(text) : null;
        if (settings.Find(nameof(AzureDnsOptions.ClientSecret)) is { } secret)
        {
            return new ClientSecretCredential(
                settings.Get(nameof(AzureDnsOptions.TenantId)),
                settings.Get(nameof(AzureDnsOptions.ClientId)),
                secret,
                At(host, new ClientSecretCredentialOptions()));
        }

        if (settings.Find(nameof(AzureDnsOptions.ManagedIdentityClientId)) is { } identity)
        {
            var options = new ManagedIdentityCredentialOptions(ManagedIdentityId.FromUserAssignedClientId(identity));
            return new ManagedIdentityCredential(At(host, options));
        }

        return ofApplication ?? new DefaultAzureCredential(At(host, new DefaultAzureCredentialOptions()));
    }

    /// <summary>
    /// The secrets that are sent to get a token and must not be quoted: from the settings and from the environment,
    /// where <see cref="DefaultAzureCredential"/> finds them.
    /// </summary>
    public static IReadOnlyList<string?> SecretsOf(DnsProviderSettings settings) =>
    [
        settings.Find(nameof(AzureDnsOptions.ClientSecret)),
        Environment.GetEnvironmentVariable("AZURE_CLIENT_SECRET"),
        Environment.GetEnvironmentVariable("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        Environment.GetEnvironmentVariable("AZURE_PASSWORD"),
        Environment.GetEnvironmentVariable("IDENTITY_HEADER"),
    ];

    // Without a host, the options have that of the environment.
    private static TOptions At<TOptions>(Uri? host, TOptions options)
        where TOptions : TokenCredentialOptions
    {
        options.AuthorityHost = host ?? options.AuthorityHost;
        return options;
    }
}
