namespace KestrelAcme.Storage;

/// <summary>A key and its value.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The bytes; may hold a private key.</param>
public readonly record struct StorageEntry(string Key, ReadOnlyMemory<byte> Value)
{
    /// <summary>Returns the key and the length of the value, never the value.</summary>
    public override string ToString() => $"{Key} ({Value.Length} bytes)";
}
