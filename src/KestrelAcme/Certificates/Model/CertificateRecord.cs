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

/// <summary>What is stored beside a certificate's chain and key, in the same file.</summary>
/// <remarks>Ten thousands of these are kept at once: lists of their exact size, and no parsed URL of its own for each.</remarks>
internal sealed record CertificateMetadata
{
    /// <summary>Stands for a URL that was lost.</summary>
    public static Uri UnknownUrl { get; } = new("unknown:lost");

    public int Version { get; init; } = 1;

    public required string[] Names { get; init; }

    public required string KeyAlgorithm { get; init; }

    /// <summary>The directory of the authority that issued it.</summary>
    public required Uri DirectoryUrl { get; init; }

    public required Uri AccountUrl { get; init; }

    /// <summary>As text, like the next: no two certificates share it, and nobody asks for it any more.</summary>
    public string? OrderUrl { get; init; }

    public string? CertificateUrl { get; init; }

    public string? Profile { get; init; }

    public required DateTimeOffset ObtainedAt { get; init; }

    /// <summary>From 0 to 1, drawn once, so that the time of the renewal does not move.</summary>
    public required double Jitter { get; init; }
}
