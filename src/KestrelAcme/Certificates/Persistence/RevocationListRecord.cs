namespace KestrelAcme.Certificates.Persistence;

/// <summary>When a revocation list is to be looked at for the certificates of one issuer, and its number so far. Stored, so that a restart neither asks again nor accepts an older list.</summary>
internal sealed record RevocationListRecord
{
    public required Uri Url { get; init; }

    /// <summary>The SHA-256 of the issuer's public key, in hexadecimal.</summary>
    public required string IssuerKey { get; init; }

    /// <summary>When it is to be looked at next, by the hash of the certificates that it was looked through for: an instance that has others looks for them itself.</summary>
    public required IReadOnlyDictionary<string, DateTimeOffset> NextChecks { get; init; }

    /// <summary>The CRL number, in decimal.</summary>
    public string? Number { get; init; }
}
