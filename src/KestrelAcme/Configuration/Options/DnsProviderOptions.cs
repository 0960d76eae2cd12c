namespace KestrelAcme.Configuration;

/// <summary>A DNS provider: an element of <see cref="AcmeHttpsOptions.DnsProviders"/>.</summary>
/// <remarks>Validated with all other options at start. Not thread-safe.</remarks>
public class DnsProviderOptions
{
    /// <summary>Creates options without a type.</summary>
    public DnsProviderOptions()
    {
    }

    /// <summary>Creates the options of a provider type. For subclasses with a property for each key.</summary>
    protected DnsProviderOptions(string type) => Type = type;

    /// <summary>The type, such as <c>Rfc2136</c> or <c>Cloudflare</c>.</summary>
    /// <value>None: required.</value>
    public string? Type { get; set; }

    /// <summary>
    /// The zones, or names within them, that the provider is responsible for. The provider with the longest matching name is used.
    /// KestrelAcme matches the name that the record ends up at after following all CNAMEs; if no provider matches it, the previous name in
    /// the chain is tried.
    /// </summary>
    /// <value>Empty: every name that no other provider is responsible for.</value>
    public IList<string> Zones { get; set; } = [];

    /// <summary>
    /// Whether KestrelAcme follows CNAME records of <c>_acme-challenge</c> for the names of this provider, and creates the record at their
    /// end. A CNAME that comes from a wildcard (<c>*.example.com CNAME ...</c>) is never followed: the new record replaces it.
    /// </summary>
    /// <value><see langword="true"/>.</value>
    public bool FollowCnames { get; set; } = true;

    /// <summary>How long a record may take to become visible. After that, the order fails and is tried again later.</summary>
    /// <value>5 minutes; from 1 second to 1 hour.</value>
    public TimeSpan PropagationTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The minimum time between creating a record and submitting the challenge, for providers whose servers show a record before all of
    /// them have it.
    /// </summary>
    /// <value>Zero; at most 1 hour.</value>
    public TimeSpan MinimumWait { get; set; } = TimeSpan.Zero;

    /// <summary>Which servers KestrelAcme queries to find out whether a record is visible.</summary>
    /// <value><see cref="DnsPropagationCheck.AuthoritativeServers"/>.</value>
    public DnsPropagationCheck PropagationCheck { get; set; } = DnsPropagationCheck.AuthoritativeServers;

    /// <summary>
    /// Whether the order fails if a name server does not respond, does not know its zone, or has no address, even if another server shows
    /// the record.
    /// </summary>
    /// <value><see langword="false"/>: such a server is reported, and tolerated as long as another one shows the record.</value>
    public bool RequireEveryServer { get; set; }

    /// <summary>The values of the keys that are specific to the type; may contain secrets. Keys are case-insensitive.</summary>
    /// <value>Empty.</value>
    public IDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns the type and the zones, without the settings.</summary>
    public override string ToString() => $"{Type} for {(Zones is { Count: > 0 } ? string.Join(", ", Zones) : "all zones")}";

    /// <summary>Returns the value of a key that is specific to the type, or <see langword="null"/> if it is not set.</summary>
    protected string? Get(string key) => Settings.TryGetValue(key, out var value) ? value : null;

    /// <summary>Sets the value of a key that is specific to the type.</summary>
    protected void Set(string key, string? value) => Settings[key] = value;
}

/// <summary>Which servers KestrelAcme queries to find out whether a record is visible.</summary>
public enum DnsPropagationCheck
{
    /// <summary>Every name server of the zone, directly, at all its addresses.</summary>
    AuthoritativeServers,

    /// <summary>
    /// The resolvers (<see cref="AcmeHttpsOptions.DnsResolvers"/>, or the system's): for networks that cannot reach the zone's own servers.
    /// </summary>
    Resolvers,
}

/// <summary>
/// Describes a key of a DNS provider on a property of its options class; see <c>AddDnsProviderType</c>. <c>[Required]</c> and
/// other validation attributes go beside it.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DnsProviderSettingAttribute : Attribute
{
    /// <summary>
    /// Whether the value is a secret. No message quotes it, and a key with <c>File</c> at the end of its name may hold the path of
    /// a file with the value instead.
    /// </summary>
    /// <value><see langword="false"/> by default.</value>
    public bool Secret { get; set; }

    /// <summary>A value to show in messages, such as <c>https://dns.example.com:8081/</c>.</summary>
    /// <value>None by default.</value>
    public string? Example { get; set; }

    /// <summary>The name of another property that must be set together with this one.</summary>
    /// <value>None by default.</value>
    public string? Needs { get; set; }

    /// <summary>The name of another property that may be set instead, if this one is required.</summary>
    /// <value>None by default.</value>
    public string? Alternative { get; set; }
}
