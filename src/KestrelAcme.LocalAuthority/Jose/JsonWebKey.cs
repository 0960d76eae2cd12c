namespace KestrelAcme.LocalAuthority.Jose;

/// <summary>The public members of a JSON Web Key, RFC 7517, that account keys have.</summary>
internal sealed record JsonWebKey
{
    public string? Kty { get; init; }

    public string? Crv { get; init; }

    public string? X { get; init; }

    public string? Y { get; init; }

    public string? N { get; init; }

    public string? E { get; init; }

    /// <summary>The private member: a client that sends it has leaked its key.</summary>
    public string? D { get; init; }
}
