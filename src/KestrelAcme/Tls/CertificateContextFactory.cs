using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Tls;

/// <summary>Makes what SslStream needs out of a certificate's bytes.</summary>
internal static class CertificateContextFactory
{
    /// <summary>Makes the context with exactly the chain that the authority sent; nothing is fetched.</summary>
    /// <param name="entry">The certificate.</param>
    /// <param name="exact">Whether the chain is sent as it is; on some systems it is built anew.</param>
    /// <exception cref="InvalidCertificateException">The bytes cannot be read, or key and certificate do not match.</exception>
    public static SslStreamCertificateContext Create(CertificateEntry entry, out bool exact)
    {
        try
        {
            var leaf = WithKey(X509CertificateLoader.LoadCertificate(entry.Chain[0].Span), entry.PrivateKey.Span, entry.KeyKind);
            var intermediates = new X509Certificate2Collection();
            for (var i = 1; i < entry.Chain.Count; i++)
            {
                intermediates.Add(X509CertificateLoader.LoadCertificate(entry.Chain[i].Span));
            }

            var context = SslStreamCertificateContext.Create(leaf, intermediates, offline: true);
            exact = ExactChain.TryApply(context, intermediates);
            return context;
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException or NotSupportedException)
        {
            throw new InvalidCertificateException($"The certificate {entry.Id} cannot be used for TLS: {exception.Message}", exception);
        }
    }

    /// <summary>Makes the context of a self-signed certificate.</summary>
    public static SslStreamCertificateContext Create(X509Certificate2 certificate) => SslStreamCertificateContext.Create(Persist(certificate), null, offline: true);

    private static X509Certificate2 WithKey(X509Certificate2 certificate, ReadOnlySpan<byte> pkcs8, KeyKinds keyKind)
    {
        if (keyKind == KeyKinds.Rsa)
        {
            using var rsa = RSA.Create();
            rsa.ImportPkcs8PrivateKey(pkcs8, out _);
            return Persist(certificate.CopyWithPrivateKey(rsa));
        }

        using var ecdsa = ECDsa.Create();
        ecdsa.ImportPkcs8PrivateKey(pkcs8, out _);
        return Persist(certificate.CopyWithPrivateKey(ecdsa));
    }

    // Schannel takes no key that lives in memory only.
    private static X509Certificate2 Persist(X509Certificate2 certificate) =>
        OperatingSystem.IsWindows() ? X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null) : certificate;
}
