using System.Security.Cryptography;
using System.Text;
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

    /// <summary>Whether the certificate was asked for by a client, and is served and ordered only with a permission.</summary>
    public bool IsOnDemand { get; init; }

    /// <summary>The ID of the only CA to order from; <see langword="null"/> for all that are configured.</summary>
    public string? AuthorityId { get; init; }
}

/// <summary>
/// IDs of certificates in the store: <c>example.com</c>, <c>_.example.com</c> for a wildcard, <c>2001-db8--1</c> for an address,
/// <c>example.com+2-0a1b2c3d</c> for a group of three names, <c>example.com+rsa2048</c> for a key algorithm other than the default.
/// </summary>
/// <remarks>
/// The ID depends only on the set of names and the key algorithm: changing the order of names, or moving them between lists, orders no new
/// certificate. No domain name contains a <c>+</c>.
/// </remarks>
internal static class CertificateId
{
    // A segment of a storage key has at most 200 characters, a domain name at most 253.
    private const int MaxNameLength = 150;

    /// <summary>Returns the ID of the certificate for a set of names and a key algorithm.</summary>
    public static string Of(IReadOnlyCollection<CertificateIdentifier> identifiers, KeyAlgorithm keyAlgorithm)
        => Names(identifiers) + (keyAlgorithm == KeyAlgorithm.EcdsaP256 ? "" : $"+{keyAlgorithm.ToString().ToLowerInvariant()}");

    private static string Names(IReadOnlyCollection<CertificateIdentifier> identifiers)
    {
        if (identifiers.Count == 1)
        {
            return Segment(identifiers.First().Value);
        }

        var sorted = identifiers.Select(identifier => identifier.Value).Order(StringComparer.Ordinal).ToArray();
        var first = sorted.OrderBy(value => value.Length).First();
        return $"{Segment(first)}+{sorted.Length - 1}-{Hash(string.Join('\n', sorted))}";
    }

    private static string Segment(string value)
    {
        var segment = value.Replace("*", "_", StringComparison.Ordinal).Replace(':', '-');
        return segment.Length <= MaxNameLength ? segment : $"{segment[..MaxNameLength]}+{Hash(value)}";
    }

    internal static string Hash(string text)
        => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 4));
}
