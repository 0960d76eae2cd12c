using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Configuration.Snapshot;

/// <summary>
/// Names certificates for the store: <c>example.com</c>, <c>_.example.com</c> for the wildcard, <c>2001-db8--1</c>, <c>example.com+2-0a1b2c3d</c> for a group of three,
/// <c>example.com+rsa2048</c> for a key algorithm other than the default one.
/// </summary>
/// <remarks>The id follows from the set of names and the key algorithm alone: writing names in another order or moving them between lists orders nothing new. No domain name has a <c>+</c>.</remarks>
internal static class CertificateId
{
    // A segment of a storage key has at most 200 characters; a name has up to 253.
    private const int MaxNameLength = 150;

    /// <summary>The id of the certificate for a set of names and a key algorithm.</summary>
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

    internal static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 4));
}
