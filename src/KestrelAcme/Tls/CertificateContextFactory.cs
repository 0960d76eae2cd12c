using System.Collections.ObjectModel;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Tls;

/// <summary>Creates an <see cref="SslStreamCertificateContext"/> from the bytes of a certificate.</summary>
internal static class CertificateContextFactory
{
    /// <summary>Creates a context that sends exactly the chain that the CA issued. No network access: nothing is downloaded.</summary>
    /// <param name="entry">The certificate.</param>
    /// <param name="exact">
    /// <see langword="true"/> if the chain is sent unchanged; <see langword="false"/> if the platform builds its own chain.
    /// </param>
    /// <exception cref="InvalidCertificateException">The bytes cannot be read, or the key does not match the certificate.</exception>
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

    /// <summary>Creates a context for a self-signed certificate.</summary>
    public static SslStreamCertificateContext Create(X509Certificate2 certificate)
        => SslStreamCertificateContext.Create(Persist(certificate), null, offline: true);

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

    // Schannel does not accept a key that exists in memory only.
    private static X509Certificate2 Persist(X509Certificate2 certificate) =>
        OperatingSystem.IsWindows() ? X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null) : certificate;
}

/// <summary>Makes a context send the intermediates that the CA issued.</summary>
/// <remarks>
/// .NET does not accept a chain. It builds one, and stops at the first root that this machine trusts. If a new root is cross-signed by an
/// old one, and the server's root store is newer than that of its clients, .NET omits the certificate that leads to the old root, and
/// clients that do not know the new root reject the connection. There is no public API to change this, so the list that .NET built is
/// replaced, and only if it differs.
/// </remarks>
internal static class ExactChain
{
    /// <returns>Whether the context sends the given intermediates, without a root at their end.</returns>
    public static bool TryApply(SslStreamCertificateContext context, X509Certificate2Collection intermediates)
    {
        var last = intermediates.Count > 0 ? intermediates[^1] : null;
        var endsWithRoot = last is not null && last.SubjectName.RawData.AsSpan().SequenceEqual(last.IssuerName.RawData);
        X509Certificate2[] wanted = [.. intermediates.Take(intermediates.Count - (endsWithRoot ? 1 : 0))];
        if (Sends(context, wanted))
        {
            return true;
        }

        // Schannel and Apple's TLS library build the chain again for each handshake.
        if (OperatingSystem.IsLinux() || OperatingSystem.IsFreeBSD())
        {
            try
            {
                Intermediates(context) = new ReadOnlyCollection<X509Certificate2>(wanted);
            }
            catch (MissingFieldException)
            {
                // A later .NET has renamed the field. The chain that .NET built is sent, and the caller reports it.
            }
        }

        return Sends(context, wanted);
    }

    private static bool Sends(SslStreamCertificateContext context, X509Certificate2[] wanted)
        => context.IntermediateCertificates.Count == wanted.Length
            && context.IntermediateCertificates.Zip(wanted)
                .All(pair => pair.First.RawDataMemory.Span.SequenceEqual(pair.Second.RawDataMemory.Span));

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<IntermediateCertificates>k__BackingField")]
    private static extern ref ReadOnlyCollection<X509Certificate2> Intermediates(SslStreamCertificateContext context);
}
