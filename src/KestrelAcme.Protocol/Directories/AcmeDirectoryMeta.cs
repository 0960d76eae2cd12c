namespace KestrelAcme.Protocol.Directories;

/// <summary>What an authority says of itself (RFC 8555 section 7.1.1 and the profiles draft).</summary>
public sealed record AcmeDirectoryMeta
{
    /// <summary>Where the terms of service are, or the terms themselves as a <c>data:</c> URL. The server's text: encode it, and link to https only.</summary>
    public string? TermsOfService { get; init; }

    /// <summary>The web site of the authority. The server's text: link to https only.</summary>
    public string? Website { get; init; }

    /// <summary>The domain names that the authority knows as its own in CAA records.</summary>
    public IReadOnlyList<string> CaaIdentities { get; init; } = [];

    /// <summary>
    /// The names by which records of dns-persist-01 know the authority (draft-ietf-acme-dns-persist-02 section 3.2), as the server writes
    /// them.
    /// </summary>
    public IReadOnlyList<string> IssuerDomainNames { get; init; } = [];

    /// <summary>
    /// What the hashed account URIs of dns-persist-01 begin with (draft-ietf-acme-dns-persist-02 section 4.1), as the server writes it.
    /// </summary>
    /// <value><see langword="null"/>: the server follows an earlier draft, or does not offer the challenge.</value>
    public string? AccountHashPrefix { get; init; }

    /// <summary>Whether a new account needs an external account binding.</summary>
    public bool ExternalAccountRequired { get; init; }

    /// <summary>The profiles on offer: name and description.</summary>
    public IReadOnlyDictionary<string, string> Profiles { get; init; } = new Dictionary<string, string>();
}
