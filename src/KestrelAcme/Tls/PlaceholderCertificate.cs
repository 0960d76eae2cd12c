using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Tls;

/// <summary>
/// The self-signed certificate that is served for managed names without a certificate. One for all names, created at first use.
/// </summary>
internal sealed class PlaceholderCertificate(TimeProvider timeProvider)
{
    private readonly Lock _gate = new();
    private SslStreamCertificateContext? _context;

    public SslStreamCertificateContext Context
    {
        get
        {
            if (Volatile.Read(ref _context) is { } made)
            {
                return made;
            }

            lock (_gate)
            {
                return _context ??= Create();
            }
        }
    }

    private SslStreamCertificateContext Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=placeholder of KestrelAcme", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        var now = timeProvider.GetUtcNow();
        return CertificateContextFactory.Create(request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10)));
    }
}
