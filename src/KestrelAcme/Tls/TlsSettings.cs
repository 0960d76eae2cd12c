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
    public TlsTarget? DefaultServerName { get; init; }

    /// <summary>The names (or public addresses) to serve to clients without SNI, by the local address that they connected to.</summary>
    public IReadOnlyDictionary<IPAddress, TlsTarget> LocalAddressNames { get; init; } = FrozenDictionary<IPAddress, TlsTarget>.Empty;

    /// <summary>
    /// How long a client may take to send its ClientHello, if the endpoint's own handshake timeout is unknown, and to finish a validation
    /// handshake.
    /// </summary>
    public TimeSpan HandshakePeekTimeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>The name or the address whose certificate clients without a server name get.</summary>
internal sealed record TlsTarget
{
    /// <summary>Creates a target for a name.</summary>
    /// <param name="name">The name in the form of the name index: A-labels in lower case, without a trailing dot.</param>
    public TlsTarget(string name) => Name = name;

    /// <summary>Creates a target for an address.</summary>
    public TlsTarget(IPAddress address) => Address = address;

    /// <summary>The name; <see langword="null"/> for an address.</summary>
    public string? Name { get; }

    /// <summary>The address; <see langword="null"/> for a name.</summary>
    public IPAddress? Address { get; }

    /// <summary>Returns the name or the address.</summary>
    public override string ToString() => Name ?? $"{Address}";
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
