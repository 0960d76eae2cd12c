namespace KestrelAcme.Configuration.Names;

/// <summary>What a certificate names: a domain name (RFC 8555) or an IP address (RFC 8738), in the one form in which it is compared, stored and sent.</summary>
/// <param name="Kind">Whether it is a name or an address.</param>
/// <param name="Value">A-labels in lower case without a trailing dot, <c>*.</c> first for a wildcard; or the canonical text of the address.</param>
internal sealed record CertificateIdentifier(IdentifierKind Kind, string Value)
{
    /// <summary>The identifier type in ACME's words: <c>dns</c> or <c>ip</c>.</summary>
    public string Type => Kind == IdentifierKind.Dns ? "dns" : "ip";

    /// <summary>Whether this is <c>*.something</c>.</summary>
    public bool IsWildcard => Kind == IdentifierKind.Dns && Value.StartsWith("*.", StringComparison.Ordinal);

    /// <summary>The value without <c>*.</c>: what an authorization names.</summary>
    public string BaseValue => IsWildcard ? Value[2..] : Value;

    /// <summary>The value.</summary>
    public override string ToString() => Value;
}
