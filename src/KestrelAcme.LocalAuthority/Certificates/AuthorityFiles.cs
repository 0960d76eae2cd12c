namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>Where the files named in certificates are fetched: over plain HTTP, as is the custom for CRLs.</summary>
internal sealed record AuthorityFiles(string Base)
{
    public const string RevocationListName = "intermediate.crl";
    public const string IssuerName = "intermediate.der";

    public string RevocationListUrl => $"{Base}/crl/{RevocationListName}";

    public string IssuerUrl => $"{Base}/issuer/{IssuerName}";
}
