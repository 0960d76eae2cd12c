namespace KestrelAcme.Certificates.Model;

/// <summary>A certificate as it is stored: chain, private key and metadata, one atomic value.</summary>
/// <param name="Chain">The certificates in DER, the leaf first.</param>
/// <param name="PrivateKey">The leaf's key, PKCS #8 in DER.</param>
/// <param name="Metadata">Where it came from.</param>
internal sealed record CertificateRecord(IReadOnlyList<ReadOnlyMemory<byte>> Chain, ReadOnlyMemory<byte> PrivateKey, CertificateMetadata Metadata)
{
    /// <summary>What was wrong with the stored form, where the chain and the key could be saved from it and the rest was rebuilt; else <see langword="null"/>. Not stored.</summary>
    public string? Repaired { get; init; }

    public override string ToString() => $"certificate for {string.Join(", ", Metadata.Names)}";
}
