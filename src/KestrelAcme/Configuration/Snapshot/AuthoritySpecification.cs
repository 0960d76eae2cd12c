namespace KestrelAcme.Configuration.Snapshot;

/// <summary>One authority that may be ordered from.</summary>
internal sealed record AuthoritySpecification
{
    /// <summary>The well-known name in lower case, or the directory's host and path; a segment of a storage key.</summary>
    public required string Id { get; init; }

    /// <summary>The well-known name, or the directory's URL: for messages.</summary>
    public required string DisplayName { get; init; }

    /// <summary>The directory.</summary>
    public required Uri DirectoryUrl { get; init; }

    /// <summary>Whether this is one of the public authorities that are known here: their rate limits are shared, and they refuse names that are not public.</summary>
    public required bool IsPublic { get; init; }

    /// <summary>The PEM file with the roots of the authority's own HTTPS, an absolute path that was readable at start; <see langword="null"/> for the machine's roots.</summary>
    public string? TrustedRootsPath { get; init; }

    /// <summary>The external account binding.</summary>
    public ExternalAccountKey? ExternalAccountBinding { get; init; }

    /// <summary>The profile to ask for, unless a certificate names its own.</summary>
    public string? Profile { get; init; }

    /// <summary>The common name of the preferred root, unless a certificate names its own.</summary>
    public string? PreferredChain { get; init; }

    /// <summary>The address for notices.</summary>
    public string? EmailAddress { get; init; }

    /// <summary>The directory of the same authority's staging service, to rehearse on.</summary>
    public Uri? StagingTwin { get; init; }
}

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
