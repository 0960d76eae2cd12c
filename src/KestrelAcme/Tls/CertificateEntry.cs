using System.Net.Security;

namespace KestrelAcme.Tls;

/// <summary>One published certificate: its bytes and, after first use, its TLS context.</summary>
/// <param name="material">The certificate as it was published.</param>
/// <param name="chain">Its chain, leaf first. The issuers' bytes are shared with other entries.</param>
/// <param name="keyKind">The kind of its key.</param>
internal sealed class CertificateEntry(CertificateMaterial material, IReadOnlyList<ReadOnlyMemory<byte>> chain, KeyKinds keyKind)
{
    private SslStreamCertificateContext? _context;
    private Task<SslStreamCertificateContext>? _making;
    private long _lastUsed;
    private object? _pin;
    private bool _isUnpublished;
    private bool _isRetired = material.IsRetired;

    public string Id { get; } = material.Id;

    public IReadOnlyList<string> Names { get; } = material.Names;

    public IReadOnlyList<ReadOnlyMemory<byte>> Chain { get; } = chain;

    public ReadOnlyMemory<byte> PrivateKey { get; } = material.PrivateKey;

    /// <inheritdoc cref="CertificateMaterial.IsRetired"/>
    public bool IsRetired
    {
        get => Volatile.Read(ref _isRetired);
        set => Volatile.Write(ref _isRetired, value);
    }

    public KeyKinds KeyKind { get; } = keyKind;

    public long NotBefore { get; } = material.NotBefore.UtcTicks;

    public long NotAfter { get; } = material.NotAfter.UtcTicks;

    /// <summary>The context while it is cached. Never disposed, because handshakes may still use it.</summary>
    public SslStreamCertificateContext? Context
    {
        get => Volatile.Read(ref _context);
        set => Volatile.Write(ref _context, value);
    }

    /// <summary>
    /// Whether the certificate is no longer published. A connection that found it earlier may still use it, but nothing is cached for it.
    /// </summary>
    public bool IsUnpublished => Volatile.Read(ref _isUnpublished);

    /// <summary>The creation of the context while it is in progress. All callers that need the context await this task.</summary>
    public ref Task<SslStreamCertificateContext>? Making => ref _making;

    /// <summary>The timestamp of the last use. A write that is lost to a race does no harm.</summary>
    public long LastUsed
    {
        get => Volatile.Read(ref _lastUsed);
        set => Volatile.Write(ref _lastUsed, value);
    }

    /// <summary>How often the context is used: each use adds one, each idle minute halves it. Concurrent updates may be lost.</summary>
    public float Heat { get; private set; }

    /// <summary>The pin that keeps .NET from evicting OpenSSL's data for this context; at most one per entry.</summary>
    public ref object? Pin => ref _pin;

    /// <summary>Marks the certificate as no longer published.</summary>
    public void MarkUnpublished() => Volatile.Write(ref _isUnpublished, true);

    /// <summary>Records a use.</summary>
    public void Touch(TimeProvider timeProvider)
    {
        var now = timeProvider.GetTimestamp();
        Heat = HeatAt(now, timeProvider) + 1;
        LastUsed = now;
    }

    /// <summary>Returns <see cref="Heat"/>, decayed to the given timestamp.</summary>
    public float HeatAt(long now, TimeProvider timeProvider)
    {
        var idle = timeProvider.GetElapsedTime(LastUsed, now);
        return idle < TimeSpan.FromSeconds(1) ? Heat : Heat * MathF.Pow(0.5f, (float)idle.TotalMinutes);
    }
}

/// <summary>
/// A certificate to publish, as bytes. Bytes take little memory, so a hundred thousand certificates can be known while few are in use.
/// </summary>
/// <param name="Id">The ID of the managed certificate. Publishing the same ID again replaces the certificate.</param>
/// <param name="Names">The names to serve it for: lower-case A-labels, <c>*.</c> first for a wildcard, or IP addresses.</param>
/// <param name="Chain">The certificates in DER, leaf first, exactly as the CA issued them.</param>
/// <param name="PrivateKey">The leaf's private key: PKCS #8 in DER.</param>
/// <param name="NotBefore">The start of the leaf's validity.</param>
/// <param name="NotAfter">The end of the leaf's validity.</param>
internal sealed record CertificateMaterial(
    string Id,
    IReadOnlyList<string> Names,
    IReadOnlyList<ReadOnlyMemory<byte>> Chain,
    ReadOnlyMemory<byte> PrivateKey,
    DateTimeOffset NotBefore,
    DateTimeOffset NotAfter)
{
    /// <summary>
    /// Whether the certificate is retired: it is no longer configured, and is served only until a configured certificate covers its names.
    /// </summary>
    public bool IsRetired { get; init; }

    /// <summary>Returns the ID and the expiry, never the key.</summary>
    public override string ToString() => $"{Id} until {NotAfter:u}";
}
