using System.Collections.Frozen;
using System.Net;

namespace KestrelAcme.Tls;

/// <summary>An immutable snapshot of the TLS settings. A configuration reload creates a new one.</summary>
internal sealed record TlsSettings
{
    /// <summary>Enables automatic HTTPS. Read once, when Kestrel is configured.</summary>
    public bool IsEnabled { get; init; } = true;

    /// <summary>What to serve for a managed name without a certificate.</summary>
    public MissingCertificate MissingCertificate { get; init; } = MissingCertificate.Placeholder;

    /// <summary>The maximum number of cached certificate contexts. The least recently used one is evicted.</summary>
    public int ContextCacheSize { get; init; } = 2000;

    /// <summary>The number of most used contexts that are protected from .NET's own eviction, so that their TLS sessions resume.</summary>
    public int SessionCacheCertificates { get; init; } = 256;

    /// <summary>The name to serve to clients without SNI; <see langword="null"/> for none.</summary>
    public string? DefaultServerName { get; init; }

    /// <summary>The names (or public addresses) to serve to clients without SNI, by the local address that they connected to.</summary>
    public IReadOnlyDictionary<IPAddress, string> LocalAddressNames { get; init; } = FrozenDictionary<IPAddress, string>.Empty;

    /// <summary>
    /// How long a client may take to send its ClientHello, if the endpoint's own handshake timeout is unknown, and to finish a validation
    /// handshake.
    /// </summary>
    public TimeSpan HandshakePeekTimeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>Provides the current TLS settings. They are read at every use, so that a configuration reload takes effect.</summary>
internal interface ITlsSettingsSource
{
    /// <summary>The current settings. Read for every connection, so it must be as cheap as a field.</summary>
    TlsSettings Current { get; }
}

/// <summary>Provides settings that never change.</summary>
internal sealed class FixedTlsSettings(TlsSettings settings) : ITlsSettingsSource
{
    /// <inheritdoc/>
    public TlsSettings Current { get; } = settings;
}

/// <summary>What a client gets if it asks for a managed name that has no certificate yet.</summary>
internal enum MissingCertificate
{
    /// <summary>
    /// A self-signed certificate, so that a CDN in front of the server forwards the challenge and health probes can connect.
    /// </summary>
    Placeholder,

    /// <summary>The alert <c>unrecognized_name</c>.</summary>
    Refuse,
}
