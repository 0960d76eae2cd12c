using KestrelAcme.Azure.Zones;
using KestrelAcme.Configuration;

namespace KestrelAcme.Azure;

/// <summary>
/// Public zones of Azure DNS. Whoever changes them needs the role <c>DNS Zone Contributor</c> on the zones; with <see cref="SubscriptionId"/>, where zones are looked for, on the resource group or
/// the subscription.
/// </summary>
/// <remarks>Without an identity of its own, an element uses the application's <c>TokenCredential</c> or <c>DefaultAzureCredential</c>: environment, workload identity, managed identity.</remarks>
public sealed class AzureDnsOptions() : DnsProviderOptions(TypeName)
{
    internal const string TypeName = "AzureDns";
    internal const string PublicCloud = "https://management.azure.com/";

    internal static DnsProviderType ProviderType { get; } = new(
        TypeName,
        [
            new(nameof(SubscriptionId), Required: true) { Example = "00000000-0000-0000-0000-000000000000", Check = CheckGuid, Alternative = nameof(ZoneResourceIds) },
            new(nameof(ResourceGroup)) { Needs = nameof(SubscriptionId) },
            new(nameof(ZoneResourceIds)) { Example = "/subscriptions/.../resourceGroups/.../providers/Microsoft.Network/dnszones/example.com", Check = AzureZone.CheckList },
            new(nameof(TenantId)) { Needs = nameof(ClientId), Example = "00000000-0000-0000-0000-000000000000", Check = CheckTenant },
            new(nameof(ClientId)) { Needs = nameof(ClientSecret) },
            new(nameof(ClientSecret), Secret: true) { Needs = nameof(TenantId) },
            new(nameof(ManagedIdentityClientId)) { Check = CheckGuid, Example = "00000000-0000-0000-0000-000000000000" },
            new(nameof(ResourceManagerEndpoint)) { Example = PublicCloud, Check = CheckUrl },
            new(nameof(AuthorityHost)) { Example = "https://login.microsoftonline.com/", Check = CheckUrl },
        ]);

    /// <summary>The subscription, a GUID. Its zones are listed; used is the one that DNS shows for a name.</summary>
    /// <value>None: required without <see cref="ZoneResourceIds"/>.</value>
    public string? SubscriptionId { get => Get(nameof(SubscriptionId)); set => Set(nameof(SubscriptionId), value); }

    /// <summary>Lists the zones of this resource group only.</summary>
    /// <value>None: all of the subscription.</value>
    public string? ResourceGroup { get => Get(nameof(ResourceGroup)); set => Set(nameof(ResourceGroup), value); }

    /// <summary>The resource ids of the zones, with commas between them: nothing is listed, so that the role is needed on the zones alone.</summary>
    /// <value>None.</value>
    public string? ZoneResourceIds { get => Get(nameof(ZoneResourceIds)); set => Set(nameof(ZoneResourceIds), value); }

    /// <summary>The tenant of the application <see cref="ClientId"/>: a GUID without braces, or a domain name.</summary>
    /// <value>None.</value>
    public string? TenantId { get => Get(nameof(TenantId)); set => Set(nameof(TenantId), value); }

    /// <summary>The application (client) id of a service principal with a secret.</summary>
    /// <value>None.</value>
    public string? ClientId { get => Get(nameof(ClientId)); set => Set(nameof(ClientId), value); }

    /// <summary>The client secret. Keep it out of files under version control.</summary>
    /// <value>None. With a client id, give this or <see cref="ClientSecretFile"/>.</value>
    public string? ClientSecret { get => Get(nameof(ClientSecret)); set => Set(nameof(ClientSecret), value); }

    /// <summary>A file that holds the client secret. A relative path counts from the content root.</summary>
    /// <value>None.</value>
    public string? ClientSecretFile { get => Get(nameof(ClientSecretFile)); set => Set(nameof(ClientSecretFile), value); }

    /// <summary>The client id of a user-assigned managed identity. A client secret, where there is one, goes first.</summary>
    /// <value>None.</value>
    public string? ManagedIdentityClientId { get => Get(nameof(ManagedIdentityClientId)); set => Set(nameof(ManagedIdentityClientId), value); }

    /// <summary>The root of Azure Resource Manager, for a sovereign cloud: <c>https://management.chinacloudapi.cn/</c>, <c>https://management.usgovcloudapi.net/</c>.</summary>
    /// <value><c>https://management.azure.com/</c>.</value>
    public string? ResourceManagerEndpoint { get => Get(nameof(ResourceManagerEndpoint)); set => Set(nameof(ResourceManagerEndpoint), value); }

    /// <summary>Who gives out tokens, for a sovereign cloud: <c>https://login.chinacloudapi.cn/</c>, <c>https://login.microsoftonline.us/</c>.</summary>
    /// <value>What <c>AZURE_AUTHORITY_HOST</c> says, or <c>https://login.microsoftonline.com/</c>.</value>
    public string? AuthorityHost { get => Get(nameof(AuthorityHost)); set => Set(nameof(AuthorityHost), value); }

    private static string? CheckGuid(string text) => Guid.TryParseExact(text, "D", out _) ? null : "is not a GUID";

    // What Azure.Identity takes; anything else would show at the first order.
    private static string? CheckTenant(string text)
        => text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-') ? null : "is not a tenant: letters, digits, dots and hyphens only";

    // A token is sent along: https alone, also to this machine.
    private static string? CheckUrl(string text)
        => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps && url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0
            ? null
            : "is not an https URL without user, query or fragment";
}
