using Azure.Core;
using Azure.Identity;
using KestrelAcme.Configuration;

namespace KestrelAcme.Azure;

/// <summary>As whom zones are changed.</summary>
internal static class AzureCredentials
{
    /// <summary>A service principal, a managed identity, the application's own credential, or what the surroundings offer; the first that there is.</summary>
    public static TokenCredential Choose(DnsProviderSettings settings, TokenCredential? ofApplication)
    {
        var host = settings.Find(nameof(AzureDnsOptions.AuthorityHost)) is { } text ? new Uri(text) : null;
        if (settings.Find(nameof(AzureDnsOptions.ClientSecret)) is { } secret)
        {
            return new ClientSecretCredential(
                settings.Get(nameof(AzureDnsOptions.TenantId)), settings.Get(nameof(AzureDnsOptions.ClientId)), secret, At(host, new ClientSecretCredentialOptions()));
        }

        if (settings.Find(nameof(AzureDnsOptions.ManagedIdentityClientId)) is { } identity)
        {
            return new ManagedIdentityCredential(At(host, new ManagedIdentityCredentialOptions(ManagedIdentityId.FromUserAssignedClientId(identity))));
        }

        return ofApplication ?? new DefaultAzureCredential(At(host, new DefaultAzureCredentialOptions()));
    }

    /// <summary>What is sent to get a token, so that nothing that is quoted repeats it: from the settings, and from the environment, where <see cref="DefaultAzureCredential"/> finds it.</summary>
    public static IReadOnlyList<string?> SecretsOf(DnsProviderSettings settings) =>
    [
        settings.Find(nameof(AzureDnsOptions.ClientSecret)),
        Environment.GetEnvironmentVariable("AZURE_CLIENT_SECRET"),
        Environment.GetEnvironmentVariable("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        Environment.GetEnvironmentVariable("AZURE_PASSWORD"),
        Environment.GetEnvironmentVariable("IDENTITY_HEADER"),
    ];

    // Without a host the options hold that of the environment.
    private static TOptions At<TOptions>(Uri? host, TOptions options)
        where TOptions : TokenCredentialOptions
    {
        options.AuthorityHost = host ?? options.AuthorityHost;
        return options;
    }
}
