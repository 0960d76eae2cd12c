using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Configuration.Snapshot;

/// <summary>One certificate that should exist: its names and its key algorithm.</summary>
internal sealed record CertificateSpecification
{
    /// <summary>The certificates of a name that came at run time: one for each key algorithm.</summary>
    public static IEnumerable<CertificateSpecification> ForName(CertificateIdentifier identifier, ConfigurationSnapshot snapshot)
        => snapshot.KeyAlgorithms.Select(algorithm => new CertificateSpecification
        {
            Id = CertificateId.Of([identifier], algorithm),
            Identifiers = [identifier],
            KeyAlgorithm = algorithm,
            ChallengeTypes = snapshot.ChallengeTypes,
        });

    /// <summary>Follows from the names and the key algorithm alone, in whatever order they were written; a segment of a storage key.</summary>
    public required string Id { get; init; }

    /// <summary>The names, in the order in which they were written; at least one.</summary>
    public required EquatableArray<CertificateIdentifier> Identifiers { get; init; }

    /// <summary>The kind of key.</summary>
    public required KeyAlgorithm KeyAlgorithm { get; init; }

    /// <summary>The profile; <see langword="null"/> leaves it to <see cref="AuthoritySpecification.Profile"/>.</summary>
    public string? Profile { get; init; }

    /// <summary>The preferred root's common name; <see langword="null"/> leaves it to <see cref="AuthoritySpecification.PreferredChain"/>.</summary>
    public string? PreferredChain { get; init; }

    /// <summary>The challenge types, by preference.</summary>
    public required EquatableArray<string> ChallengeTypes { get; init; }
}
