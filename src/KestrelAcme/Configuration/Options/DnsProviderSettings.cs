namespace KestrelAcme.Configuration;

/// <summary>The checked settings of one DNS provider: what its factory gets. Immutable. Two are equal when they say the same.</summary>
public sealed class DnsProviderSettings : IEquatable<DnsProviderSettings>
{
    private readonly SortedDictionary<string, string> _values;

    internal DnsProviderSettings(string type, IEnumerable<KeyValuePair<string, string>> values)
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
