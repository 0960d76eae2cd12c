using System.Collections.Frozen;
using KestrelAcme.Configuration;
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
        DefaultServerName = snapshot.DefaultServerName?.Value,
        LocalAddressNames = snapshot.LocalAddressNames.ToFrozenDictionary(n => n.Address, n => n.Name.Value),
    };
}
