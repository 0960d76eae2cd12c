namespace KestrelAcme.Tls;

/// <summary>Settings that do not change.</summary>
internal sealed class FixedTlsSettings(TlsSettings settings) : ITlsSettingsSource
{
    /// <inheritdoc/>
    public TlsSettings Current { get; } = settings;
}
