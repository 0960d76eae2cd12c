namespace KestrelAcme.Configuration;

/// <summary>A checked external account binding (RFC 8555 section 7.3.4).</summary>
/// <param name="KeyId">The key identifier.</param>
/// <param name="HmacKey">The MAC key; a secret.</param>
internal sealed record ExternalAccountKey(string KeyId, ReadOnlyMemory<byte> HmacKey)
{
    /// <summary>Compares the bytes of the key, not their place in memory.</summary>
    public bool Equals(ExternalAccountKey? other)
        => other is not null && KeyId == other.KeyId && HmacKey.Span.SequenceEqual(other.HmacKey.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => KeyId.GetHashCode(StringComparison.Ordinal);

    /// <summary>Returns the key identifier; never the key.</summary>
    public override string ToString() => $"external account '{KeyId}'";
}
