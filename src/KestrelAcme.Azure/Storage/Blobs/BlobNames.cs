namespace KestrelAcme.Azure.Storage.Blobs;

/// <summary>
/// Names blobs after keys. Azure does not allow a segment that ends with a dot, so such a segment gets a <c>~</c>, which no key contains.
/// </summary>
internal static class BlobNames
{
    /// <summary>The log of changes.</summary>
    public const string Changes = "changes";

    private const string Values = "values/";
    private const string Leases = "leases/";

    public static string Value(string key) => Values + Encode(key);

    public static string Lease(string name) => Leases + Encode(name);

    /// <summary>The start of the names of all values below a prefix of keys.</summary>
    public static string ValuePrefix(string prefix) => prefix.Length == 0 ? Values : Values + Encode(prefix[..^1]) + "/";

    /// <summary>Returns the key of a value's blob; <see langword="null"/> for a blob that is none.</summary>
    public static string? Key(string name)
        => name.StartsWith(Values, StringComparison.Ordinal) ? name[Values.Length..].Replace("~", "", StringComparison.Ordinal) : null;

    private static string Encode(string key)
    {
        var inner = key.Replace("./", ".~/", StringComparison.Ordinal);
        return inner.EndsWith('.') ? inner + "~" : inner;
    }
}
