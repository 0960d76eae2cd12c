namespace KestrelAcme.Configuration;

/// <summary>A type of DNS provider, for <see cref="DnsProviderOptions.Type"/>, with the keys that are specific to it.</summary>
/// <param name="Name">The name, case-insensitive.</param>
/// <param name="Keys">The keys.</param>
internal sealed record DnsProviderType(string Name, IReadOnlyList<DnsProviderKey> Keys);

/// <summary>A key of one type of DNS provider.</summary>
/// <param name="Name">The key, such as <c>ApiToken</c>.</param>
/// <param name="Required">Whether it is required.</param>
/// <param name="Secret">
/// Whether its value is a secret. A secret is never quoted, and may come from a file, named by the key with <c>File</c> appended.
/// </param>
internal sealed record DnsProviderKey(string Name, bool Required = false, bool Secret = false)
{
    /// <summary>An example value for messages, such as <c>https://dns.example.com:8081/</c>.</summary>
    public string? Example { get; init; }

    /// <summary>Another key that must be set together with this one.</summary>
    public string? Needs { get; init; }

    /// <summary>Another key that may be set instead of this one, if this one is required.</summary>
    public string? Alternative { get; init; }

    /// <summary>
    /// Checks a value. Returns <see langword="null"/> if it is valid, otherwise the reason why not, such as "is not an https URL".
    /// </summary>
    public Func<string, string?>? Check { get; init; }

    /// <summary>Like <see cref="Check"/>, with a fix for each reason.</summary>
    public Func<string, (string Reason, string Fix)?>? CheckWithFix { get; init; }
}

/// <summary>The validated settings of a DNS provider, passed to its factory. Immutable, with value equality.</summary>
internal sealed class DnsProviderSettings : IEquatable<DnsProviderSettings>
{
    private readonly SortedDictionary<string, string> _values;

    public DnsProviderSettings(string type, IEnumerable<KeyValuePair<string, string>> values)
    {
        Type = type;
        _values = new SortedDictionary<string, string>(values.ToDictionary(), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>The name of the type.</summary>
    public string Type { get; }

    /// <summary>All values by their keys, in a fixed order. Some are secrets.</summary>
    public IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>
    /// Returns the value of a key, or <see langword="null"/> if it was not set. A secret from a file has the key without <c>File</c>.
    /// </summary>
    public string? Find(string key) => _values.GetValueOrDefault(key);

    /// <summary>Returns the value of a required key.</summary>
    /// <exception cref="KeyNotFoundException">The key was not set, so it is not declared as required.</exception>
    public string Get(string key)
        => Find(key) ?? throw new KeyNotFoundException($"The DNS provider {Type} has no value for its key {key}.");

    /// <inheritdoc/>
    public bool Equals(DnsProviderSettings? other) => other is not null && Type == other.Type && _values.SequenceEqual(other._values);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DnsProviderSettings);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, _values.Count);

    /// <summary>Returns the type and the names of the keys, without their values.</summary>
    public override string ToString() => $"{Type} ({string.Join(", ", _values.Keys)})";
}
