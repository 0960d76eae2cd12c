using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Configuration.Snapshot;

/// <summary>A certificate that should exist: its names and its key algorithm.</summary>
internal sealed record CertificateSpecification
{
    /// <summary>Returns the certificates for a name that was added at run time: one for each key algorithm.</summary>
    public static IEnumerable<CertificateSpecification> ForName(CertificateIdentifier identifier, ConfigurationSnapshot snapshot)
        => snapshot.KeyAlgorithms.Select(algorithm => new CertificateSpecification
        {
            Id = CertificateId.Of([identifier], algorithm),
            Identifiers = [identifier],
            KeyAlgorithm = algorithm,
            ChallengeTypes = snapshot.ChallengeTypes,
        });

    /// <summary>The <see cref="CertificateId"/>: depends on the set of names and the key algorithm; a segment of a storage key.</summary>
    public required string Id { get; init; }

    /// <summary>The names in the order of the configuration; at least one.</summary>
    public required EquatableArray<CertificateIdentifier> Identifiers { get; init; }

    /// <summary>The type of key.</summary>
    public required KeyAlgorithm KeyAlgorithm { get; init; }

    /// <summary>The profile; if <see langword="null"/>, <see cref="AuthoritySpecification.Profile"/> applies.</summary>
    public string? Profile { get; init; }

    /// <summary>
    /// The common name of the preferred root; if <see langword="null"/>, <see cref="AuthoritySpecification.PreferredChain"/> applies.
    /// </summary>
    public string? PreferredChain { get; init; }

    /// <summary>The challenge types, in order of preference.</summary>
    public required EquatableArray<string> ChallengeTypes { get; init; }
}
