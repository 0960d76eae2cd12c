using System.Collections.Frozen;
using System.Net;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Tls;

namespace KestrelAcme.Hosting;

/// <summary>The TLS settings from the current configuration.</summary>
internal sealed class ConfiguredTlsSettings : ITlsSettingsSource, IDisposable
{
    private readonly IDisposable _changes;
    private volatile TlsSettings _current;

    public ConfiguredTlsSettings(ConfigurationSource configuration)
    {
        _changes = configuration.OnChange(snapshot => _current = From(snapshot));
        _current = From(configuration.Current);
    }

    public TlsSettings Current => _current;

    public void Dispose() => _changes.Dispose();

    private static TlsSettings From(ConfigurationSnapshot snapshot) => new()
    {
        IsEnabled = snapshot.Enabled,
        MissingCertificate = snapshot.MissingCertificate == Configuration.MissingCertificate.Refuse
            ? Tls.MissingCertificate.Refuse
            : Tls.MissingCertificate.Placeholder,
        ContextCacheSize = snapshot.ContextCacheSize,
        SessionCacheCertificates = snapshot.SessionCacheCertificates,
        DefaultServerName = snapshot.DefaultServerName is { } name ? From(name) : null,
        LocalAddressNames = snapshot.LocalAddressNames.ToFrozenDictionary(n => n.Address, n => From(n.Name)),
    };

    // Parsed once for each configuration, not for each handshake.
    private static TlsTarget From(CertificateIdentifier identifier) => identifier.Kind == IdentifierKind.Ip
        ? new TlsTarget(IPAddress.Parse(identifier.Value))
        : new TlsTarget(identifier.Value);
}
