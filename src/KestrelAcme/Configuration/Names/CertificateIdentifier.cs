namespace KestrelAcme.Configuration.Names;

/// <summary>
/// An identifier in a certificate: a domain name (RFC 8555) or an IP address (RFC 8738), in the normal form that is compared, stored and
/// sent to the CA.
/// </summary>
/// <param name="Kind">Whether it is a domain name or an IP address.</param>
/// <param name="Value">
/// A-labels in lower case without a trailing dot, with <c>*.</c> in front for a wildcard; or the canonical text of the address.
/// </param>
internal sealed record CertificateIdentifier(IdentifierKind Kind, string Value)
{
    /// <summary>The ACME identifier type: <c>dns</c> or <c>ip</c>.</summary>
    public string Type => Kind == IdentifierKind.Dns ? "dns" : "ip";

    /// <summary>Whether this is a wildcard name.</summary>
    public bool IsWildcard => Kind == IdentifierKind.Dns && Value.StartsWith("*.", StringComparison.Ordinal);

    /// <summary>The value without <c>*.</c>: the identifier of the authorization.</summary>
    public string BaseValue => IsWildcard ? Value[2..] : Value;

    /// <summary>Returns the value.</summary>
    public override string ToString() => Value;
}

/// <summary>The kinds of identifier in a certificate.</summary>
internal enum IdentifierKind
{
    /// <summary>A domain name.</summary>
    Dns,

    /// <summary>An IP address.</summary>
    Ip,
}
