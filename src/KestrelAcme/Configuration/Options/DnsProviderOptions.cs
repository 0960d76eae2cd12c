namespace KestrelAcme.Configuration;

/// <summary>One DNS provider: an element of <c>DnsProviders</c>.</summary>
/// <remarks>Checked with everything else at start. Not thread-safe.</remarks>
public class DnsProviderOptions
{
    /// <summary>Creates options without a type.</summary>
    public DnsProviderOptions()
    {
    }

    /// <summary>Creates the options of a provider type, for a subclass with a property for each key.</summary>
    protected DnsProviderOptions(string type) => Type = type;

    /// <summary>The type, such as <c>Rfc2136</c> or <c>Cloudflare</c>.</summary>
    /// <value>None: required.</value>
    public string? Type { get; set; }

    /// <summary>
    /// The zones, or names within them, that the provider is for: of several providers the one with the longest fitting name is used. What counts is where the record
    /// really is, behind all CNAMEs, and if no provider names that, the name before them.
    /// </summary>
    /// <value>Empty: every name that no other provider is for.</value>
    public IList<string> Zones { get; set; } = [];

    /// <summary>
    /// Whether the CNAMEs of <c>_acme-challenge</c> are followed, for names that this provider is for, and the record is created where
    /// they end. A CNAME that only a wildcard makes up
    /// (<c>*.example.com CNAME ...</c>) is not followed in any case: the record takes its place.
    /// </summary>
    /// <value><see langword="true"/>.</value>
    public bool FollowCnames { get; set; } = true;

    /// <summary>How long a record may take until it is visible. After that the order fails, and is tried again later.</summary>
    /// <value>5 minutes; from 1 second to 1 hour.</value>
    public TimeSpan PropagationTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The least time between creating a record and telling the authority, for a provider whose servers lag behind what they show.</summary>
    /// <value>Zero; at most 1 hour.</value>
    public TimeSpan MinimumWait { get; set; } = TimeSpan.Zero;

    /// <summary>Whose word is taken for a record being visible.</summary>
    /// <value><see cref="DnsPropagationCheck.AuthoritativeServers"/>.</value>
    public DnsPropagationCheck PropagationCheck { get; set; } = DnsPropagationCheck.AuthoritativeServers;

    /// <summary>Whether a name server that is silent or does not know its zone fails the order, even when another one shows the record; one without an address, too.</summary>
    /// <value><see langword="false"/>: it is reported, and tolerated while another one shows the record.</value>
    public bool RequireEveryServer { get; set; }

    /// <summary>The values of the type's own keys; may hold secrets. Keys are read without regard to case.</summary>
    /// <value>Empty.</value>
    public IDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns the type and the zones; none of the settings.</summary>
    public override string ToString() => $"{Type} for {(Zones is { Count: > 0 } ? string.Join(", ", Zones) : "all zones")}";

    /// <summary>The value of a key of the type's own; <see langword="null"/> when it is not set.</summary>
    protected string? Get(string key) => Settings.TryGetValue(key, out var value) ? value : null;

    /// <summary>Sets the value of a key of the type's own.</summary>
    protected void Set(string key, string? value) => Settings[key] = value;
}
