namespace KestrelAcme.LocalAuthority.Discovery;

/// <summary>The JSON of the directory (RFC 8555 section 7.1.1).</summary>
internal sealed record DirectoryResource
{
    public required string NewNonce { get; init; }

    public required string NewAccount { get; init; }

    public required string NewOrder { get; init; }

    public required string RevokeCert { get; init; }

    public required string KeyChange { get; init; }

    public string? RenewalInfo { get; init; }

    public required DirectoryMeta Meta { get; init; }
}

/// <summary>The JSON of the directory's <c>meta</c> object.</summary>
internal sealed record DirectoryMeta
{
    public string? TermsOfService { get; init; }

    public string? Website { get; init; }

    public IReadOnlyList<string>? CaaIdentities { get; init; }

    public IReadOnlyList<string>? IssuerDomainNames { get; init; }

    public string? AccountHashPrefix { get; init; }

    public bool? ExternalAccountRequired { get; init; }

    public IReadOnlyDictionary<string, string>? Profiles { get; init; }
}
