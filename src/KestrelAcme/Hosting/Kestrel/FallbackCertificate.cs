using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>What Kestrel itself would serve: <c>Kestrel:Certificates:Default</c>, or the developer certificate, the latter in Development only.</summary>
internal sealed class FallbackCertificate(IHostEnvironment environment) : IDisposable
{
    // Marks the certificates that "dotnet dev-certs" makes.
    private const string DeveloperCertificateOid = "1.3.6.1.4.1.311.84.1.1";

    private Found? _found;
    private KestrelServerOptions? _options;
    private IDisposable? _reloads;

    /// <summary>The certificate for names that are not ours; <see langword="null"/> for none.</summary>
    public X509Certificate2? Certificate => Current.Certificate;

    /// <summary>The intermediates that come with it.</summary>
    public X509Certificate2Collection? Chain => Current.Chain;

    private Found Current => Volatile.Read(ref _found) ?? Look();

    /// <summary>Takes the certificate from these options; they are set up by a class that needs this one.</summary>
    public void Use(KestrelServerOptions options)
    {
        _options = options;
        _reloads?.Dispose();
        _reloads = options.ConfigurationLoader is { } loader ? ChangeToken.OnChange(loader.Configuration.GetReloadToken, Refresh) : null;
    }

    /// <summary>Asks Kestrel anew, after it has read its configuration.</summary>
    public void Refresh() => Volatile.Write(ref _found, null);

    /// <inheritdoc/>
    public void Dispose() => _reloads?.Dispose();

    private Found Look()
    {
        if (_options is null)
        {
            return new Found(null, null);
        }

        var asked = KestrelProbe.DefaultCertificate(_options);
        var usable = asked?.ServerCertificate is { } certificate && (environment.IsDevelopment() || certificate.Extensions[DeveloperCertificateOid] is null);
        var found = usable ? new Found(asked!.ServerCertificate, asked.ServerCertificateChain) : new Found(null, null);
        Volatile.Write(ref _found, found);
        return found;
    }

    private sealed record Found(X509Certificate2? Certificate, X509Certificate2Collection? Chain);
}
