namespace KestrelAcme.LocalAuthority.Discovery;

/// <summary>The directory's <c>meta</c> object.</summary>
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
