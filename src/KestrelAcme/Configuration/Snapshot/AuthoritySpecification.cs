namespace KestrelAcme.Configuration.Snapshot;

/// <summary>A validated CA.</summary>
internal sealed record AuthoritySpecification
{
    /// <summary>The well-known name in lower case, or the host and path of the directory: a segment of a storage key.</summary>
    public required string Id { get; init; }

    /// <summary>The name for messages: the well-known name, or the URL of the directory.</summary>
    public required string DisplayName { get; init; }

    /// <summary>The URL of the directory.</summary>
    public required Uri DirectoryUrl { get; init; }

    /// <summary>Whether this is a well-known public CA, which has rate limits and rejects private names.</summary>
    public required bool IsPublic { get; init; }

    /// <summary>
    /// The absolute path of the PEM file with the roots of the CA's own HTTPS, which was readable at start; <see langword="null"/> for the
    /// roots that the machine trusts.
    /// </summary>
    public string? TrustedRootsPath { get; init; }

    /// <summary>The external account binding.</summary>
    public ExternalAccountKey? ExternalAccountBinding { get; init; }

    /// <summary>The key of the account, if the operator has one.</summary>
    public GivenAccountKey? AccountKey { get; init; }

    /// <summary>The profile to request, unless a certificate has its own.</summary>
    public string? Profile { get; init; }

    /// <summary>The common name of the preferred root, unless a certificate has its own.</summary>
    public string? PreferredChain { get; init; }

    /// <summary>The e-mail address for notices.</summary>
    public string? EmailAddress { get; init; }

    /// <summary>The URL of the directory of the CA's staging environment, for rehearsals.</summary>
    public Uri? StagingTwin { get; init; }

    /// <summary>Returns the CA's staging environment.</summary>
    /// <exception cref="InvalidOperationException">It has none.</exception>
    public AuthoritySpecification Twin() => this with
    {
        Id = $"{Id}-rehearsal",
        DisplayName = $"{DisplayName} (staging)",
        DirectoryUrl = StagingTwin ?? throw new InvalidOperationException($"{DisplayName} has no staging service."),
        StagingTwin = null,
        ExternalAccountBinding = null,
        AccountKey = null,
    };
}

/// <summary>A validated external account binding (RFC 8555 section 7.3.4).</summary>
/// <param name="KeyId">The key identifier.</param>
/// <param name="HmacKey">The MAC key; a secret.</param>
internal sealed record ExternalAccountKey(string KeyId, ReadOnlyMemory<byte> HmacKey)
{
    /// <summary>Compares the bytes of the key, not the references to them.</summary>
    public bool Equals(ExternalAccountKey? other)
        => other is not null && KeyId == other.KeyId && HmacKey.Span.SequenceEqual(other.HmacKey.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => KeyId.GetHashCode(StringComparison.Ordinal);

    /// <summary>Returns the key identifier, never the key.</summary>
    public override string ToString() => $"external account '{KeyId}'";
}

/// <summary>The key of an account from a file.</summary>
/// <param name="Pem">The key as PKCS #8 in PEM; a secret.</param>
internal sealed record GivenAccountKey(string Pem)
{
    /// <summary>Never returns the key.</summary>
    public override string ToString() => "account key from a file";
}
