using Azure.Core;
using Azure.Identity;

namespace KestrelAcme.Azure;

/// <summary>Selects the identity that changes zones.</summary>
internal static class AzureCredentials
{
    /// <summary>
    /// Selects the first available: a service principal, a managed identity, the application's own credential, or the
    /// environment's.
    /// </summary>
    public static TokenCredential Choose(AzureDnsOptions options, TokenCredential? ofApplication)
    {
        var host = options.AuthorityHost is { } text ? new Uri(text) : null;
        if (options.ClientSecret is { } secret)
        {
            return new ClientSecretCredential(
                options.TenantId,
                options.ClientId,
                secret,
                At(host, new ClientSecretCredentialOptions()));
        }

        if (options.ManagedIdentityClientId is { } identity)
        {
            var managed = new ManagedIdentityCredentialOptions(ManagedIdentityId.FromUserAssignedClientId(identity));
            return new ManagedIdentityCredential(At(host, managed));
        }

        return ofApplication ?? new DefaultAzureCredential(At(host, new DefaultAzureCredentialOptions()));
    }

    /// <summary>
    /// The secrets that are sent to get a token and must not be quoted: from the settings and from the environment.
    /// </summary>
    public static IReadOnlyList<string?> SecretsOf(AzureDnsOptions options) => [options.ClientSecret, .. SecretsOfEnvironment()];

    /// <summary>The secrets that <see cref="DefaultAzureCredential"/> finds in the environment.</summary>
    public static IReadOnlyList<string?> SecretsOfEnvironment() =>
    [
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
