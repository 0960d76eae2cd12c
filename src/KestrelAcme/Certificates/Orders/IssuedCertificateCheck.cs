using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Checks what an authority issued before it is stored or served. Pure.</summary>
internal static class IssuedCertificateCheck
{
    /// <exception cref="UnusableCertificateException">The certificate must not be served; the message says why.</exception>
    public static void ThrowIfUnusable(IReadOnlyList<ReadOnlyMemory<byte>> chain, AsymmetricAlgorithm key, IReadOnlyList<string> names, bool chainExpected, DateTimeOffset now)
    {
        using var leaf = Load(chain);
        if (!leaf.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
        {
            throw new UnusableCertificateException("The authority issued a certificate for another key than the one that was requested.");
        }

        if (chainExpected && chain.Count == 1)
        {
            throw new UnusableCertificateException("The authority sent the certificate without its chain: clients could not verify it.");
        }

        if (leaf.NotAfter.ToUniversalTime() <= now.UtcDateTime)
        {
            throw new UnusableCertificateException($"The authority issued a certificate that expired on {leaf.NotAfter.ToUniversalTime():u}.");
        }

        var covered = CoveredNames(leaf);
        var missing = names.Where(n => !covered.Contains(n)).ToList();
        if (missing.Count > 0)
        {
            throw new UnusableCertificateException($"The authority issued a certificate that is not for {string.Join(", ", missing)}.");
        }
    }

    private static X509Certificate2 Load(IReadOnlyList<ReadOnlyMemory<byte>> chain)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(chain[0].Span);
        }
        catch (CryptographicException exception)
        {
            throw new UnusableCertificateException($"The authority sent a certificate that cannot be read: {exception.Message}");
        }
    }

    private static HashSet<string> CoveredNames(X509Certificate2 leaf)
    {
        var covered = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var extension in leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>())
        {
            covered.UnionWith(extension.EnumerateDnsNames());
            covered.UnionWith(extension.EnumerateIPAddresses().Select(a => a.ToString()));
        }

        return covered;
    }
}
