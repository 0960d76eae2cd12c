using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.Cloudflare;

/// <summary>Options for the API of Cloudflare with a scoped token.</summary>
public sealed class CloudflareOptions() : DnsProviderOptions(TypeName)
{
    internal const string TypeName = "Cloudflare";
    internal const string DefaultApiUrl = "https://api.cloudflare.com/client/v4/";

    internal static DnsProviderType ProviderType { get; } = new(
        TypeName,
        [
            new(nameof(ApiToken), Required: true, Secret: true)
            {
                Example = "an API token with the permissions Zone.DNS Edit and Zone.Zone Read",
                Check = text => text.All(c => c is > ' ' and < '\u007f') ? null : "is not a token (the value is not shown, it is a secret)",
            },
            new(nameof(ApiUrl)) { Example = DefaultApiUrl, Check = UrlRule.CheckSecure },
        ]);

    /// <summary>
    /// An API token (not the global key) with the permissions <c>Zone.DNS: Edit</c> and <c>Zone.Zone: Read</c> for the zones. Do not keep
    /// it in files under version control.
    /// </summary>
    /// <value>None. Set this or <see cref="ApiTokenFile"/>.</value>
    public string? ApiToken { get => Get(nameof(ApiToken)); set => Set(nameof(ApiToken), value); }

    /// <summary>A file that contains the token. Relative paths are resolved against the content root.</summary>
    /// <value>None.</value>
    public string? ApiTokenFile { get => Get(nameof(ApiTokenFile)); set => Set(nameof(ApiTokenFile), value); }

    /// <summary>The root of the API.</summary>
    /// <value>Cloudflare's.</value>
    public string? ApiUrl { get => Get(nameof(ApiUrl)); set => Set(nameof(ApiUrl), value); }
}
