using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Protocol.Certificates;

/// <summary>Chooses among the chains on offer by the common name of an issuer. Pure.</summary>
public static class ChainSelector
{
    /// <summary>The chain whose topmost certificate was issued by the preferred issuer; failing that one with any certificate issued by it; failing that the first.</summary>
    /// <param name="chains">The chains, the default one first; at least one.</param>
    /// <param name="preferredIssuerCommonName">The common name, such as <c>ISRG Root X1</c>; case does not matter. <see langword="null"/> or empty: the first chain.</param>
    /// <exception cref="ArgumentException">There is no chain.</exception>
    public static CertificateChain Select(IReadOnlyList<CertificateChain> chains, string? preferredIssuerCommonName)
    {
        ArgumentNullException.ThrowIfNull(chains);
        if (chains.Count == 0)
        {
            throw new ArgumentException("There is no chain to choose from.", nameof(chains));
        }

        if (string.IsNullOrWhiteSpace(preferredIssuerCommonName))
        {
            return chains[0];
        }

        return chains.FirstOrDefault(chain => IsIssuedBy(chain.Certificates[^1], preferredIssuerCommonName))
            ?? chains.FirstOrDefault(chain => Matches(chain, preferredIssuerCommonName))
            ?? chains[0];
    }

    /// <summary>Whether any certificate of a chain was issued by an issuer of that common name.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="issuerCommonName">The common name; case does not matter.</param>
    public static bool Matches(CertificateChain chain, string issuerCommonName)
    {
        ArgumentNullException.ThrowIfNull(chain);
        return chain.Certificates.Any(certificate => IsIssuedBy(certificate, issuerCommonName));
    }

    /// <summary>The issuers of the certificates of chains by their common names: what may be preferred.</summary>
    /// <param name="chains">The chains.</param>
    /// <returns>The names in quotes, with commas between them.</returns>
    public static string DescribeIssuers(IReadOnlyList<CertificateChain> chains)
    {
        ArgumentNullException.ThrowIfNull(chains);
        return string.Join(", ", chains.SelectMany(chain => chain.Certificates).SelectMany(IssuerNames).Distinct().Select(name => $"'{QuotedText.Words(name, 100)}'"));
    }

    private static bool IsIssuedBy(ReadOnlyMemory<byte> der, string commonName)
        => IssuerNames(der).Contains(commonName.Trim(), StringComparer.OrdinalIgnoreCase);

    private static List<string> IssuerNames(ReadOnlyMemory<byte> der)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(der.Span);
        try
        {
            return [.. certificate.IssuerName.EnumerateRelativeDistinguishedNames()
                .Where(name => !name.HasMultipleElements && name.GetSingleElementType().Value == "2.5.4.3")
                .Select(name => name.GetSingleElementValue())
                .OfType<string>()];
        }
        catch (CryptographicException)
        {
            // A name in an encoding that nothing can read is not one that is looked for.
            return [];
        }
    }
}
