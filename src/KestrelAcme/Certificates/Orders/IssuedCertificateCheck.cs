using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Checks an issued certificate before it is stored or served. Pure.</summary>
internal static class IssuedCertificateCheck
{
    /// <summary>Chooses one of the offered chains, and puts it in order.</summary>
    /// <param name="offered">The chains, the default one first.</param>
    /// <param name="preferredIssuer">The common name of the root that the chain should lead to.</param>
    /// <param name="key">The key of the order.</param>
    /// <param name="names">The names of the order.</param>
    /// <param name="chainExpected">Whether a leaf without a chain is unusable.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="UnusableCertificateException">The certificate must not be served; the message says why.</exception>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Arrange(
        IReadOnlyList<CertificateChain> offered,
        string? preferredIssuer,
        AsymmetricAlgorithm key,
        IReadOnlyList<string> names,
        bool chainExpected,
        DateTimeOffset now)
    {
        if (IssuedChain.Choose(offered, preferredIssuer, key.ExportSubjectPublicKeyInfo()) is not { } chain)
        {
            throw WrongLeaf("The CA issued a certificate for another key than the requested one.");
        }

        ThrowIfUnusable(chain, names, chainExpected, now);
        return chain.Stored;
    }

    /// <summary>Checks a certificate as the TLS table does, before it replaces what is stored.</summary>
    /// <exception cref="UnusableCertificateException">It must not be served; the message says why.</exception>
    public static void ThrowIfRefused(CertificateMaterial material)
    {
        try
        {
            CertificateCheck.Check(material);
        }
        catch (InvalidCertificateException exception)
        {
            throw new UnusableCertificateException($"The CA issued a certificate that cannot be served: {exception.Message}");
        }
    }

    private static void ThrowIfUnusable(IssuedChain chain, IReadOnlyList<string> names, bool chainExpected, DateTimeOffset now)
    {
        using var leaf = Load(chain.Certificates[0]);
        if (leaf.NotAfter.ToUniversalTime() <= now.UtcDateTime)
        {
            throw WrongLeaf($"The CA issued a certificate that expired on {leaf.NotAfter.ToUniversalTime():u}.");
        }

        var covered = CoveredNames(leaf);
        var missing = names.Where(n => !covered.Contains(n)).ToList();
        if (missing.Count > 0)
        {
            throw WrongLeaf($"The CA issued a certificate that is not for {string.Join(", ", missing)}.");
        }

        if (chainExpected && chain is { Certificates.Count: 1, IsRootLeftOut: false })
        {
            throw new UnusableCertificateException("The CA sent the certificate without its chain, so clients could not verify it.");
        }
    }

    private static UnusableCertificateException WrongLeaf(string message) => new(message) { IsLeafWrong = true };

    private static X509Certificate2 Load(ReadOnlyMemory<byte> leaf)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(leaf.Span);
        }
        catch (CryptographicException exception)
        {
            throw new UnusableCertificateException($"The CA sent a certificate that cannot be read: {exception.Message}");
        }
    }

    private static HashSet<string> CoveredNames(X509Certificate2 leaf)
    {
        var covered = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        try
        {
            foreach (var extension in leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>())
            {
                covered.UnionWith(extension.EnumerateDnsNames());
                covered.UnionWith(extension.EnumerateIPAddresses().Select(a => a.ToString()));
            }
        }
        catch (CryptographicException)
        {
            // Names that cannot be read cover nothing.
        }

        return covered;
    }
}
