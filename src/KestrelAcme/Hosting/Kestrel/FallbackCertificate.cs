using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>
/// The certificate that Kestrel itself would serve: <c>Kestrel:Certificates:Default</c>, or, only in Development, the developer
/// certificate.
/// </summary>
/// <remarks>
/// Kestrel reads the default certificate again if its configuration or its file changes, without a notification: it restarts the endpoints
/// that use the certificate, and an endpoint with a selector does not. So this class asks Kestrel again if a client needs it, at most once
/// a second.
/// </remarks>
internal sealed class FallbackCertificate(IHostEnvironment environment, TimeProvider timeProvider)
{
    // The extension that marks certificates of dotnet dev-certs.
    private const string DeveloperCertificateExtension = "1.3.6.1.4.1.311.84.1.1";
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private Found? _found;
    private KestrelServerOptions? _options;

    /// <summary>The certificate for names that KestrelAcme does not manage; <see langword="null"/> if there is none.</summary>
    public AppCertificate? Current
        => (Volatile.Read(ref _found) is { } found && timeProvider.GetElapsedTime(found.At) < Fresh ? found : Find()).Certificate;

    /// <summary>Sets the options to take the certificate from. Not a constructor parameter, since their setup needs this class.</summary>
    public void Use(KestrelServerOptions options) => _options = options;

    /// <summary>Asks Kestrel again, after it has read its configuration.</summary>
    public void Refresh() => Find();

    private Found Find()
    {
        var certificate = MayHaveOne(_options)
            ? Choose(Volatile.Read(ref _found)?.Certificate, KestrelProbe.DefaultCertificate(_options))
            : null;
        var found = new Found(certificate, timeProvider.GetTimestamp());
        Volatile.Write(ref _found, found);
        return found;
    }

    // While Kestrel cannot read the certificate's file, perhaps because it is half-written, it has no certificate, or a developer
    // certificate instead. The last good one stays in use.
    private AppCertificate? Choose(AppCertificate? last, HttpsConnectionAdapterOptions? found)
    {
        if (found?.ServerCertificate is not { } certificate)
        {
            return last;
        }

        return last is { } good
            && !ReferenceEquals(good.Certificate, certificate)
            && !environment.IsDevelopment()
            && IsDevelopers(certificate)
            && !IsDevelopers(good.Certificate)
                ? last
                : new AppCertificate(certificate, found.ServerCertificateChain);
    }

    private static bool IsDevelopers(X509Certificate2 certificate) => certificate.Extensions[DeveloperCertificateExtension] is not null;

    // Otherwise Kestrel would look for a developer certificate, and log warnings about it.
    private bool MayHaveOne([NotNullWhen(true)] KestrelServerOptions? options)
        => options is not null
            && (environment.IsDevelopment()
                || options.ConfigurationLoader?.Configuration.GetSection("Certificates:Default").Exists() == true);

    private sealed record Found(AppCertificate? Certificate, long At);
}
