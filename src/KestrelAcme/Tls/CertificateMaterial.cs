namespace KestrelAcme.Tls;

/// <summary>A certificate as it is published to TLS: bytes only, so that a hundred thousand can be known while few are in use.</summary>
/// <param name="Id">The managed certificate's id; publishing the same id again replaces what was there.</param>
/// <param name="Names">The names it is served for: A-labels in lower case, <c>*.</c> first for a wildcard, or IP addresses.</param>
/// <param name="Chain">The certificates in DER, the leaf first, exactly as the authority sent them.</param>
/// <param name="PrivateKey">The leaf's private key, PKCS #8 in DER.</param>
/// <param name="NotBefore">When the leaf begins to be valid.</param>
/// <param name="NotAfter">When the leaf ends.</param>
internal sealed record CertificateMaterial(
    string Id,
    IReadOnlyList<string> Names,
    IReadOnlyList<ReadOnlyMemory<byte>> Chain,
    ReadOnlyMemory<byte> PrivateKey,
    DateTimeOffset NotBefore,
    DateTimeOffset NotAfter)
{
    /// <summary>Whether it is of earlier settings, served until a certificate exists that is wanted now.</summary>
    public bool IsRetired { get; init; }

    /// <summary>Returns the id and the end; never the key.</summary>
    public override string ToString() => $"{Id} until {NotAfter:u}";
}
