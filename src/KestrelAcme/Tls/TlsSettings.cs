using System.Collections.Frozen;
using System.Net;

namespace KestrelAcme.Tls;

/// <summary>The settings of TLS at one moment; a reload makes a new one.</summary>
internal sealed record TlsSettings
{
    /// <summary>Whether anything is done at all; read once, when Kestrel is set up.</summary>
    public bool IsEnabled { get; init; } = true;

    /// <summary>What is served for a managed name without a certificate.</summary>
    public MissingCertificate MissingCertificate { get; init; } = MissingCertificate.Placeholder;

    /// <summary>How many certificate contexts are kept; the least recently used is dropped.</summary>
    public int ContextCacheSize { get; init; } = 2000;

    /// <summary>How many of the hottest contexts are kept from .NET's own eviction, so that their sessions resume.</summary>
    public int SessionCacheCertificates { get; init; } = 256;

    /// <summary>The name that a client without SNI gets; <see langword="null"/> for none.</summary>
    public string? DefaultServerName { get; init; }

    /// <summary>The name (or the public address) that a client without SNI gets, by the local address it reached.</summary>
    public IReadOnlyDictionary<IPAddress, string> LocalAddressNames { get; init; } = FrozenDictionary<IPAddress, string>.Empty;

    /// <summary>How long a client may take to send its ClientHello, where the endpoint's own time-out for handshakes is not known, and to finish a validation.</summary>
    public TimeSpan HandshakePeekTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
