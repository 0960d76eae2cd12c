using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>The contexts of certificates that the app configured itself, made as Kestrel makes them: what is missing of a chain may be fetched, and OCSP answers are stapled.</summary>
/// <remarks>Safe for concurrent use. A context is kept for as long as its certificate is.</remarks>
internal sealed class AppCertificateContexts(ILogger<AppCertificateContexts> logger)
{
    private readonly ConditionalWeakTable<X509Certificate2, SslStreamCertificateContext> _made = [];

    /// <summary>Makes the context of a certificate. May go to the network: for the time before an endpoint listens.</summary>
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
            // One without its key, mostly: each handshake will say so.
            logger.AppCertificateUnusable(app.Certificate.Subject, exception.Message);
        }
    }

    /// <summary>The context of a certificate. One that was not prepared, such as one that came by a reload, is made of what is at hand, and again in the background.</summary>
    public SslStreamCertificateContext Get(AppCertificate app)
    {
        if (_made.TryGetValue(app.Certificate, out var known))
        {
            return known;
        }

        var made = SslStreamCertificateContext.Create(app.Certificate, app.Chain, offline: true);
        if (_made.TryAdd(app.Certificate, made))
        {
            ThreadPool.UnsafeQueueUserWorkItem(static work => work.Contexts.MakeAgain(work.App), (Contexts: this, App: app), preferLocal: false);
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
            // What was made offline stays; an exception on this thread would end the process.
            logger.AppCertificateUnusable(app.Certificate.Subject, exception.Message);
        }
    }
}

/// <summary>A certificate that the app configured itself, with the intermediates that came with it.</summary>
internal readonly record struct AppCertificate(X509Certificate2 Certificate, X509Certificate2Collection? Chain);
