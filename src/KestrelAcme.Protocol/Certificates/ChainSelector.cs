using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Protocol.Certificates;

/// <summary>Selects a chain by the common name of an issuer. Stateless.</summary>
public static class ChainSelector
{
    /// <summary>
    /// Selects the chain whose topmost certificate was issued by the preferred issuer; otherwise a chain with any certificate issued by it;
    /// otherwise the first chain.
    /// </summary>
    /// <param name="chains">The chains, the default one first; at least one.</param>
    /// <param name="preferredIssuerCommonName">
    /// The common name, such as <c>ISRG Root X1</c>; case-insensitive. <see langword="null"/> or empty selects the first chain.
    /// </param>
    /// <exception cref="ArgumentException">There are no chains.</exception>
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

    /// <summary>Whether an issuer with that common name issued any certificate of a chain.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="issuerCommonName">The common name; case-insensitive.</param>
    public static bool Matches(CertificateChain chain, string issuerCommonName)
    {
        ArgumentNullException.ThrowIfNull(chain);
        return chain.Certificates.Any(certificate => IsIssuedBy(certificate, issuerCommonName));
    }

    /// <summary>Lists the common names of the issuers in the chains, which are the possible preferences.</summary>
    /// <param name="chains">The chains.</param>
    /// <returns>The quoted names, separated by commas.</returns>
    public static string DescribeIssuers(IReadOnlyList<CertificateChain> chains)
    {
        ArgumentNullException.ThrowIfNull(chains);
        var names = chains.SelectMany(chain => chain.Certificates).SelectMany(IssuerNames).Distinct();
        return string.Join(", ", names.Select(name => $"'{QuotedText.Words(name, 100)}'"));
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
            // A name with an unreadable encoding cannot match.
            return [];
        }
    }
}
