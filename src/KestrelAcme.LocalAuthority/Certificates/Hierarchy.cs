using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>
/// A root, an intermediate signed by it, and a second root that cross-signs the first. Lives as long as the CA.
/// </summary>
internal sealed class Hierarchy : IDisposable
{
    /// <summary>Held while a key signs, because ECDsa does not promise to be thread-safe.</summary>
    public Lock Signing { get; } = new();

    public required X509Certificate2 Root { get; init; }

    /// <summary>What the root may issue for; <see langword="null"/>: everything.</summary>
    public NameConstraints? Constraints => NameConstraints.In(Root);

    public required ECDsa RootKey { get; init; }

    public required X509Certificate2 Intermediate { get; init; }

    public required ECDsa IntermediateKey { get; init; }

    public required X509Certificate2 AlternateRoot { get; init; }

    /// <summary>The first root's name and key, signed by the second root.</summary>
    public required X509Certificate2 CrossSignedRoot { get; init; }

    /// <summary>Returns the certificates after the leaf in a download. Roots are omitted.</summary>
    public IReadOnlyList<X509Certificate2> Chain(bool alternate) => alternate ? [Intermediate, CrossSignedRoot] : [Intermediate];

    /// <summary>Whether the intermediate signed the certificate, at any time.</summary>
    public bool Issued(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(Root);
        chain.ChainPolicy.ExtraStore.Add(Intermediate);
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        return chain.Build(certificate)
            && chain.ChainElements.Count == 3
            && chain.ChainElements[1].Certificate.RawDataMemory.Span.SequenceEqual(Intermediate.RawDataMemory.Span);
    }

    public void Dispose()
    {
        RootKey.Dispose();
        IntermediateKey.Dispose();
    }
}
