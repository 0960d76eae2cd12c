namespace KestrelAcme.Configuration;

/// <summary>A checked external account binding.</summary>
/// <param name="KeyId">The key identifier.</param>
/// <param name="HmacKey">The MAC key; a secret.</param>
internal sealed record ExternalAccountBinding(string KeyId, ReadOnlyMemory<byte> HmacKey)
{
    /// <summary>Compares the bytes of the key, not their place in memory.</summary>
    public bool Equals(ExternalAccountBinding? other)
        => other is not null && KeyId == other.KeyId && HmacKey.Span.SequenceEqual(other.HmacKey.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => KeyId.GetHashCode(StringComparison.Ordinal);

    /// <summary>Returns the key identifier; never the key.</summary>
    public override string ToString() => $"external account '{KeyId}'";
}
