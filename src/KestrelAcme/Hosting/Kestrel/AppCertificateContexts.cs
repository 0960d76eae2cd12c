using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>
/// The contexts of certificates that the app configured itself, created as Kestrel does: missing intermediates may be downloaded, and OCSP
/// responses are stapled.
/// </summary>
/// <remarks>Safe for concurrent use. A context is kept as long as its certificate.</remarks>
internal sealed class AppCertificateContexts(ILogger<AppCertificateContexts> logger)
{
    private readonly ConditionalWeakTable<X509Certificate2, SslStreamCertificateContext> _made = [];

    /// <summary>Creates the context of a certificate. May use the network, so call it before an endpoint listens.</summary>
    public void Prepare(AppCertificate app)
    {
        try
        {
            if (!_made.TryGetValue(app.Certificate, out _))
            {
                _made.TryAdd(app.Certificate, SslStreamCertificateContext.Create(app.Certificate, app.Chain));
            }
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException or NotSupportedException)
        {
            // Usually a certificate without its key. Each handshake will fail with the reason.
            logger.AppCertificateUnusable(app.Certificate.Subject, exception.Message);
        }
    }

    /// <summary>
    /// Returns the context of a certificate. If it was not prepared, as after a reload, it is created offline, and again in the background.
    /// </summary>
    public SslStreamCertificateContext Get(AppCertificate app)
    {
        if (_made.TryGetValue(app.Certificate, out var known))
        {
            return known;
        }

        var made = SslStreamCertificateContext.Create(app.Certificate, app.Chain, offline: true);
        if (_made.TryAdd(app.Certificate, made))
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static work => work.Contexts.MakeAgain(work.App), (Contexts: this, App: app), preferLocal: false);
        }

        return made;
    }

    private void MakeAgain(AppCertificate app)
    {
        try
        {
            _made.AddOrUpdate(app.Certificate, SslStreamCertificateContext.Create(app.Certificate, app.Chain));
        }
        catch (Exception exception)
        {
            // The context that was created offline stays. An exception on this thread would end the process.
            logger.AppCertificateUnusable(app.Certificate.Subject, exception.Message);
        }
    }
}

/// <summary>A certificate that the app configured itself, with its intermediates.</summary>
internal readonly record struct AppCertificate(X509Certificate2 Certificate, X509Certificate2Collection? Chain);
