using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>What Kestrel itself would serve: <c>Kestrel:Certificates:Default</c>, or the developer certificate, the latter in Development only.</summary>
/// <remarks>
/// Kestrel reads the default certificate again when its configuration or the certificate's file changes, and tells nobody: it restarts the endpoints that use it, and with a selector none does.
/// So it is asked again, at most once a second, when a client needs the answer.
/// </remarks>
internal sealed class FallbackCertificate(IHostEnvironment environment, TimeProvider timeProvider)
{
    // How dotnet dev-certs marks what it makes.
    private const string DeveloperCertificateExtension = "1.3.6.1.4.1.311.84.1.1";
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private Found? _found;
    private KestrelServerOptions? _options;

    /// <summary>The certificate for names that are not ours; <see langword="null"/> for none.</summary>
    public AppCertificate? Current => (Volatile.Read(ref _found) is { } found && timeProvider.GetElapsedTime(found.At) < Fresh ? found : Look()).Certificate;

    /// <summary>Takes the certificate from these options; they are set up by a class that needs this one.</summary>
    public void Use(KestrelServerOptions options) => _options = options;

    /// <summary>Asks Kestrel anew, after it has read its configuration.</summary>
    public void Refresh() => Look();

    private Found Look()
    {
        var found = new Found(MayHaveOne(_options) ? Choose(Volatile.Read(ref _found)?.Certificate, KestrelProbe.DefaultCertificate(_options)) : null, timeProvider.GetTimestamp());
        Volatile.Write(ref _found, found);
        return found;
    }

    // While it cannot read the certificate's file again, half written perhaps, Kestrel has none, or a developer's in its place: the last good one stays.
    private AppCertificate? Choose(AppCertificate? last, HttpsConnectionAdapterOptions? asked)
        => asked?.ServerCertificate is not { } certificate ? last
            : last is { } good && !ReferenceEquals(good.Certificate, certificate) && !environment.IsDevelopment() && IsDevelopers(certificate) && !IsDevelopers(good.Certificate) ? last
            : new AppCertificate(certificate, asked.ServerCertificateChain);

    private static bool IsDevelopers(X509Certificate2 certificate) => certificate.Extensions[DeveloperCertificateExtension] is not null;

    // Kestrel looks for a developer certificate everywhere, and warns of what it finds.
    private bool MayHaveOne([NotNullWhen(true)] KestrelServerOptions? options) =>
        options is not null && (environment.IsDevelopment() || options.ConfigurationLoader?.Configuration.GetSection("Certificates:Default").Exists() == true);

    private sealed record Found(AppCertificate? Certificate, long At);
}
