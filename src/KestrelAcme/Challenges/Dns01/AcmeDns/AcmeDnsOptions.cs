using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.AcmeDns;

/// <summary>
/// Options for an acme-dns server: a small name server that serves only challenges. Each name is registered separately, and you create one
/// CNAME for it, which is logged. The server needs no credentials for the real zone. List the real zones, not the server's, in
/// <see cref="DnsProviderOptions.Zones"/>.
/// </summary>
public sealed class AcmeDnsOptions() : DnsProviderOptions(TypeName)
{
    internal const string TypeName = "AcmeDns";

    internal static DnsProviderType ProviderType { get; } = new(
        TypeName, [new(nameof(ServerUrl), Required: true) { Example = "https://auth.acme-dns.io/", Check = UrlRule.CheckSecure }]);

    /// <summary>The root of the server's API.</summary>
    /// <value>None: required.</value>
    public string? ServerUrl { get => Get(nameof(ServerUrl)); set => Set(nameof(ServerUrl), value); }
}
