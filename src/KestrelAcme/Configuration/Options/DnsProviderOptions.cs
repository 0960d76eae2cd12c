namespace KestrelAcme.Configuration;

/// <summary>One DNS provider: an element of <c>DnsProviders</c>.</summary>
public class DnsProviderOptions : DnsPlacementOptions
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
