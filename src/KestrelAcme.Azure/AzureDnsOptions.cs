using System.ComponentModel.DataAnnotations;
using KestrelAcme.Azure.Zones;
using KestrelAcme.Configuration;

namespace KestrelAcme.Azure;

/// <summary>
/// Options for public zones of Azure DNS. The identity needs the role <c>DNS Zone Contributor</c> on the zones or, with
/// <see cref="SubscriptionId"/>, on the resource group or subscription in which zones are looked up.
/// </summary>
/// <remarks>
/// Without an identity of its own, an entry uses the application's <c>TokenCredential</c> or <c>DefaultAzureCredential</c>:
/// environment, workload identity, managed identity.
/// </remarks>
public sealed class AzureDnsOptions() : DnsProviderOptions(TypeName)
{
    internal const string TypeName = "AzureDns";
    internal const string PublicCloud = "https://management.azure.com/";
    private const string EmptyId = "00000000-0000-0000-0000-000000000000";

    /// <summary>The subscription, a GUID. Its zones are listed, and the one that holds a name according to DNS is used.</summary>
    /// <value>None by default; required without <see cref="ZoneResourceIds"/>.</value>
    [Required, GuidText, DnsProviderSetting(Example = EmptyId, Alternative = nameof(ZoneResourceIds))]
    public string? SubscriptionId { get => Get(nameof(SubscriptionId)); set => Set(nameof(SubscriptionId), value); }

    /// <summary>Lists only the zones of this resource group.</summary>
    /// <value>None by default: all zones of the subscription.</value>
    [DnsProviderSetting(Needs = nameof(SubscriptionId))]
    public string? ResourceGroup { get => Get(nameof(ResourceGroup)); set => Set(nameof(ResourceGroup), value); }

    /// <summary>
    /// The resource IDs of the zones, separated by commas. Zones are not listed, so the role is needed only on these
    /// zones.
    /// </summary>
    /// <value>None by default.</value>
    [ZoneList, DnsProviderSetting(
        Example = "/subscriptions/.../resourceGroups/.../providers/Microsoft.Network/dnszones/example.com")]
    public string? ZoneResourceIds { get => Get(nameof(ZoneResourceIds)); set => Set(nameof(ZoneResourceIds), value); }

    /// <summary>The tenant of the application <see cref="ClientId"/>: a GUID without braces, or a domain name.</summary>
    /// <value>None by default.</value>
    [TenantText, DnsProviderSetting(Needs = nameof(ClientId), Example = EmptyId)]
    public string? TenantId { get => Get(nameof(TenantId)); set => Set(nameof(TenantId), value); }

    /// <summary>The application (client) ID of a service principal with a secret.</summary>
    /// <value>None by default.</value>
    [DnsProviderSetting(Needs = nameof(ClientSecret))]
    public string? ClientId { get => Get(nameof(ClientId)); set => Set(nameof(ClientId), value); }

    /// <summary>The client secret. Keep it out of files under version control.</summary>
    /// <value>None by default. A client ID requires this or <see cref="ClientSecretFile"/>.</value>
    [DnsProviderSetting(Secret = true, Needs = nameof(TenantId))]
    public string? ClientSecret { get => Get(nameof(ClientSecret)); set => Set(nameof(ClientSecret), value); }

    /// <summary>A file that holds the client secret. Relative paths are resolved against the content root.</summary>
    /// <value>None by default.</value>
    public string? ClientSecretFile { get => Get(nameof(ClientSecretFile)); set => Set(nameof(ClientSecretFile), value); }

    /// <summary>The client ID of a user-assigned managed identity. A client secret takes precedence.</summary>
    /// <value>None by default.</value>
    [GuidText, DnsProviderSetting(Example = EmptyId)]
    public string? ManagedIdentityClientId
    {
        get => Get(nameof(ManagedIdentityClientId));
        set => Set(nameof(ManagedIdentityClientId), value);
    }

    /// <summary>
    /// The root of Azure Resource Manager, for a sovereign cloud: <c>https://management.chinacloudapi.cn/</c>,
    /// <c>https://management.usgovcloudapi.net/</c>.
    /// </summary>
    /// <value><c>https://management.azure.com/</c> by default.</value>
    [HttpsUrl, DnsProviderSetting(Example = PublicCloud)]
    public string? ResourceManagerEndpoint
    {
        get => Get(nameof(ResourceManagerEndpoint));
        set => Set(nameof(ResourceManagerEndpoint), value);
    }

    /// <summary>
    /// The host that issues tokens, for a sovereign cloud: <c>https://login.chinacloudapi.cn/</c>,
    /// <c>https://login.microsoftonline.us/</c>.
    /// </summary>
    /// <value>By default <c>AZURE_AUTHORITY_HOST</c> if set, otherwise <c>https://login.microsoftonline.com/</c>.</value>
    [HttpsUrl, DnsProviderSetting(Example = "https://login.microsoftonline.com/")]
    public string? AuthorityHost { get => Get(nameof(AuthorityHost)); set => Set(nameof(AuthorityHost), value); }

    private sealed class GuidTextAttribute() : ValidationAttribute("is not a GUID")
    {
        public override bool IsValid(object? value) => Guid.TryParseExact(value as string, "D", out _);
    }

    // The format that Azure.Identity accepts; any other would fail only at the first order.
    private sealed class TenantTextAttribute() : ValidationAttribute("is not a tenant: letters, digits, dots and hyphens only")
    {
        public override bool IsValid(object? value)
            => value is string text && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-');
    }

    // A token is sent to it, so it must be HTTPS, even on this machine.
    private sealed class HttpsUrlAttribute() : ValidationAttribute("is not an https URL without user, query or fragment")
    {
        public override bool IsValid(object? value)
            => Uri.TryCreate(value as string, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps
                && url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0;
    }

    private sealed class ZoneListAttribute : ValidationAttribute
    {
        protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
            => AzureZone.CheckList((string)value!) is { } wrong ? new ValidationResult(wrong) : ValidationResult.Success;
    }
}
