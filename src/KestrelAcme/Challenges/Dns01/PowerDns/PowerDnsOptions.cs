using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.PowerDns;

/// <summary>Options for the HTTP API of a PowerDNS authoritative server.</summary>
public sealed class PowerDnsOptions() : DnsProviderOptions(TypeName)
{
    internal const string TypeName = "PowerDns";

    internal static DnsProviderType ProviderType { get; } = new(
        TypeName,
        [
            new(nameof(ApiUrl), Required: true) { Example = "http://127.0.0.1:8081/", Check = UrlRule.Check },
            new(nameof(ApiKey), Required: true, Secret: true) { Example = "the api-key of pdns.conf" },
            new(nameof(ServerId)) { Example = "localhost" },
        ]);

    /// <summary>The root of the API (<c>webserver-address</c> and <c>webserver-port</c> of pdns.conf), without <c>api/v1</c>.</summary>
    /// <value>None: required.</value>
    public string? ApiUrl { get => Get(nameof(ApiUrl)); set => Set(nameof(ApiUrl), value); }

    /// <summary>The <c>api-key</c> of pdns.conf. Do not keep it in files under version control.</summary>
    /// <value>None. Set this or <see cref="ApiKeyFile"/>.</value>
    public string? ApiKey { get => Get(nameof(ApiKey)); set => Set(nameof(ApiKey), value); }

    /// <summary>A file that contains the key. Relative paths are resolved against the content root.</summary>
    /// <value>None.</value>
    public string? ApiKeyFile { get => Get(nameof(ApiKeyFile)); set => Set(nameof(ApiKeyFile), value); }

    /// <summary>The ID of the server in the API.</summary>
    /// <value><c>localhost</c>.</value>
    public string? ServerId { get => Get(nameof(ServerId)); set => Set(nameof(ServerId), value); }
}
