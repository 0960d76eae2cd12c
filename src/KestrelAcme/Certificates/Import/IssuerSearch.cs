using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Transport;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Import;

/// <summary>
/// Finds the intermediates of a certificate that came without them, as those of LettuceEncrypt do: among those that were imported, or where
/// the certificate says that its issuer is (RFC 5280 section 4.2.2.1).
/// </summary>
/// <remarks>
/// The chain engine of .NET would do that, too, but stores what it downloads in the home folder. Safe for concurrent use.
/// </remarks>
internal sealed class IssuerSearch(IReadOnlyList<ReadOnlyMemory<byte>> known, Uri? authority, TimeProvider time)
{
    private const int MostIssuers = 3;
    private const int MaxLength = 64 * 1024;

    // The start waits for it.
    private static readonly TimeSpan FetchTime = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<Uri, Lazy<Task<byte[]?>>> _fetched = new();
    private readonly GuardedConnection? _guard = authority is null ? null : GuardedConnection.WithinReachOf(authority, time);

    /// <summary>The issuers that came with the imported certificates.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Known => known;

    /// <summary>Returns the certificate with its chain, or as it is if no issuer is found.</summary>
    public async Task<CertificateRecord> CompleteAsync(CertificateRecord record, CancellationToken cancellationToken)
    {
        if (record.Chain.Count > 1)
        {
            return record;
        }

        List<ReadOnlyMemory<byte>> sent = [record.Chain[0], .. known];
        var chain = Arrange(sent);
        for (var i = 0; i < MostIssuers && !chain.IsRootLeftOut; i++)
        {
            var last = chain.Certificates[^1];
            if (await FindAsync(last, cancellationToken) is not { } issuer)
            {
                break;
            }

            sent.Add(issuer);
            var longer = Arrange(sent);
            if (longer.Stored.Count <= chain.Stored.Count && !longer.IsRootLeftOut)
            {
                break;
            }

            chain = longer;
        }

        return record with { Chain = chain.Stored };
    }

    private static IssuedChain Arrange(List<ReadOnlyMemory<byte>> sent)
        => IssuedChain.Arrange(sent, DerCertificate.Read(sent[0].Span).PublicKeyInfo)!;

    private async Task<byte[]?> FindAsync(ReadOnlyMemory<byte> certificate, CancellationToken cancellationToken)
    {
        using var read = X509CertificateLoader.LoadCertificate(certificate.Span);
        foreach (var text in read.Extensions.OfType<X509AuthorityInformationAccessExtension>().SelectMany(e => e.EnumerateCAIssuersUris()))
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            {
                var issuer = await _fetched.GetOrAdd(url!, u => new(() => FetchAsync(u, cancellationToken))).Value;
                return issuer is not null && HasSigned(issuer, read) ? issuer : null;
            }
        }

        return null;
    }

    private async Task<byte[]?> FetchAsync(Uri url, CancellationToken cancellationToken)
    {
        if (_guard is not { } guard)
        {
            return null;
        }

        using var limit = new TimeLimit(FetchTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var http = new HttpClient(new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                AutomaticDecompression = DecompressionMethods.None,
                ConnectCallback = guard.ConnectAsync,
            });
            http.MaxResponseContentBufferSize = MaxLength;
            using var issuer = X509CertificateLoader.LoadCertificate(await http.GetByteArrayAsync(url, both.Token));
            return issuer.RawData;
        }
        catch (Exception)
        {
            // HttpClient may throw any exception for what a server sends. The certificate is served as it is, which is reported.
            return null;
        }
    }

    // It comes over plain HTTP: only its signature proves that it belongs there.
    private static bool HasSigned(byte[] issuer, X509Certificate2 certificate)
    {
        using var read = X509CertificateLoader.LoadCertificate(issuer);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(read);
        chain.ChainPolicy.ExtraStore.Add(read);
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.AllFlags;
        try
        {
            chain.Build(certificate);
            return chain.ChainElements.Count > 1
                && chain.ChainElements[1].Certificate.RawDataMemory.Span.SequenceEqual(issuer)
                && !Array.Exists(chain.ChainElements[0].ChainElementStatus, s => s.Status.HasFlag(X509ChainStatusFlags.NotSignatureValid));
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}

/// <summary>
/// Finds certificates that clients may not trust: only public CAs are configured, the certificate is not known to be from one of them, and
/// this machine does not trust the CA that issued it. Not safe for concurrent use.
/// </summary>
internal sealed class ImportTrust(IReadOnlyList<AuthoritySpecification> authorities, IReadOnlyList<ReadOnlyMemory<byte>> known)
{
    // If a CA of the operator's own is configured, its certificates look the same.
    private readonly bool _isProduction = authorities.Count > 0
        && authorities.All(a => a.IsPublic && !WellKnownAuthorities.IsStaging(a.DirectoryUrl));

    private readonly Dictionary<string, bool> _trusted = new(StringComparer.Ordinal);

    private readonly Lazy<X509Certificate2[]> _issuers = new(
        () => [.. known.Select(k => X509CertificateLoader.LoadCertificate(k.Span)).DistinctBy(c => c.Thumbprint)]);

    /// <returns>The name of the CA; <see langword="null"/> if nothing is wrong.</returns>
    public string? FindUntrusted(CertificateSnapshot certificate)
    {
        if (!_isProduction || authorities.Any(a => a.DirectoryUrl == certificate.Record.Metadata.DirectoryUrl))
        {
            return null;
        }

        // Each certificate in the chain has been verified with the next. So what counts is who issued the last one.
        using var last = X509CertificateLoader.LoadCertificate(certificate.Record.Chain[^1].Span);
        if (!_trusted.TryGetValue(last.Issuer, out var isTrusted))
        {
            _trusted[last.Issuer] = isTrusted = IsTrusted(last);
        }

        return isTrusted ? null : last.Issuer;
    }

    private bool IsTrusted(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.ExtraStore.AddRange(_issuers.Value);
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        try
        {
            chain.Build(certificate);
            return !Array.Exists(
                chain.ChainStatus, s => (s.Status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
