namespace KestrelAcme.Tls;

/// <summary>Where TLS reads its settings, at every use, so that a reload takes effect.</summary>
internal interface ITlsSettingsSource
{
    /// <summary>The settings of this moment. Called for every connection: a field read, no more.</summary>
    TlsSettings Current { get; }
}
