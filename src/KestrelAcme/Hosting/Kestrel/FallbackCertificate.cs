using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>What Kestrel itself would serve: <c>Kestrel:Certificates:Default</c>, or the developer certificate, the latter in Development only.</summary>
internal sealed class FallbackCertificate(IHostEnvironment environment) : IDisposable
{
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
        _reloads = options.ConfigurationLoader is { } loader ? ChangeToken.OnChange(loader.Configuration.GetReloadToken, Forget) : null;
    }

    /// <summary>Asks Kestrel anew, after it has read its configuration.</summary>
    public void Refresh() => Look();

    // Kestrel reloads at the same moment: it is asked when the certificate is needed.
    private void Forget() => Volatile.Write(ref _found, null);

    /// <inheritdoc/>
    public void Dispose() => _reloads?.Dispose();

    private Found Look()
    {
        var asked = MayHaveOne(_options) ? KestrelProbe.DefaultCertificate(_options) : null;
        var found = new Found(asked?.ServerCertificate, asked?.ServerCertificateChain);
        Volatile.Write(ref _found, found);
        return found;
    }

    // Kestrel looks for a developer certificate everywhere, and warns of what it finds.
    private bool MayHaveOne([NotNullWhen(true)] KestrelServerOptions? options) =>
        options is not null && (environment.IsDevelopment() || options.ConfigurationLoader?.Configuration.GetSection("Certificates:Default").Exists() == true);

    private sealed record Found(X509Certificate2? Certificate, X509Certificate2Collection? Chain);
}
