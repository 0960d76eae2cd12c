namespace KestrelAcme.Certificates.Persistence;

/// <summary>When a revocation list was looked at, and its number then. Stored, so that a restart neither asks again nor accepts an older list.</summary>
internal sealed record RevocationListRecord
{
    public required Uri Url { get; init; }

    public required DateTimeOffset NextCheck { get; init; }

    /// <summary>The CRL number, in decimal.</summary>
    public string? Number { get; init; }
}
