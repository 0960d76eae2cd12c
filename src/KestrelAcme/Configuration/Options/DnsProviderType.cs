namespace KestrelAcme.Configuration;

/// <summary>A type of DNS provider that <c>DnsProviders[].Type</c> may name, and the keys of its own that it takes.</summary>
/// <param name="Name">The name, compared without regard to case.</param>
/// <param name="Keys">The keys.</param>
internal sealed record DnsProviderType(string Name, IReadOnlyList<DnsProviderKey> Keys);

/// <summary>A key of one type of DNS provider.</summary>
/// <param name="Name">The key, such as <c>ApiToken</c>.</param>
/// <param name="Required">Whether it must be given.</param>
/// <param name="Secret">Whether its value is a secret: it is then never quoted, and may come as a file in a key whose name ends in <c>File</c>.</param>
internal sealed record DnsProviderKey(string Name, bool Required = false, bool Secret = false)
{
    /// <summary>What to write, for messages; such as <c>https://dns.example.com:8081/</c>.</summary>
    /// <value>None.</value>
    public string? Example { get; init; }

    /// <summary>Another key that must be given together with this one.</summary>
    /// <value>None.</value>
    public string? Needs { get; init; }

    /// <summary>Another key that may be given in place of this one, where it is required.</summary>
    /// <value>None.</value>
    public string? Alternative { get; init; }

    /// <summary>Checks a value: <see langword="null"/> when it is good, otherwise what is wrong with it, such as "is not an https URL".</summary>
    /// <value>None: every value is good.</value>
    public Func<string, string?>? Check { get; init; }

    /// <summary>As <see cref="Check"/>, with a fix of its own for each thing that may be wrong.</summary>
    public Func<string, (string Reason, string Fix)?>? CheckWithFix { get; init; }
}

/// <summary>The checked settings of one DNS provider: what its factory gets. Immutable. Two are equal when they say the same.</summary>
internal sealed class DnsProviderSettings : IEquatable<DnsProviderSettings>
{
    private readonly SortedDictionary<string, string> _values;

    public DnsProviderSettings(string type, IEnumerable<KeyValuePair<string, string>> values)
    {
        Type = type;
        _values = new SortedDictionary<string, string>(values.ToDictionary(), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>The type's name.</summary>
    public string Type { get; }

    /// <summary>The value of a key; <see langword="null"/> when it was not given. A secret that was given as a file is under the key without <c>File</c>.</summary>
    public string? Find(string key) => _values.GetValueOrDefault(key);

    /// <summary>The value of a key that is required.</summary>
    /// <exception cref="KeyNotFoundException">The key was not given, so it was not declared as required.</exception>
    public string Get(string key) => Find(key) ?? throw new KeyNotFoundException($"The DNS provider {Type} has no value for its key {key}.");

    /// <inheritdoc/>
    public bool Equals(DnsProviderSettings? other) => other is not null && Type == other.Type && _values.SequenceEqual(other._values);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DnsProviderSettings);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, _values.Count);

    /// <summary>Returns the type and the names of the keys; no value.</summary>
    public override string ToString() => $"{Type} ({string.Join(", ", _values.Keys)})";
}
