using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Configuration.Snapshot;

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
