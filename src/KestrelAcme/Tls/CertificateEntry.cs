using System.Net.Security;

namespace KestrelAcme.Tls;

/// <summary>One published certificate: its bytes, and its context once somebody asked for it.</summary>
/// <param name="material">What was published.</param>
/// <param name="chain">Its chain, the leaf first; the issuers are shared with other entries.</param>
/// <param name="keyKind">The kind of its key.</param>
internal sealed class CertificateEntry(CertificateMaterial material, IReadOnlyList<ReadOnlyMemory<byte>> chain, KeyKinds keyKind)
{
    private SslStreamCertificateContext? _context;
    private Task<SslStreamCertificateContext>? _making;
    private long _lastUsed;
    private object? _pin;
    private bool _isUnpublished;
    private bool _standsIn = material.IsRetired;

    public string Id { get; } = material.Id;

    public IReadOnlyList<string> Names { get; } = material.Names;

    public IReadOnlyList<ReadOnlyMemory<byte>> Chain { get; } = chain;

    public ReadOnlyMemory<byte> PrivateKey { get; } = material.PrivateKey;

    /// <summary>Whether it is of earlier settings, served until a certificate exists that is wanted now.</summary>
    public bool IsRetired
    {
        get => Volatile.Read(ref _standsIn);
        set => Volatile.Write(ref _standsIn, value);
    }

    public KeyKinds KeyKind { get; } = keyKind;

    public long NotBefore { get; } = material.NotBefore.UtcTicks;

    public long NotAfter { get; } = material.NotAfter.UtcTicks;

    /// <summary>The context, while it is kept. Never disposed: handshakes may run on it.</summary>
    public SslStreamCertificateContext? Context
    {
        get => Volatile.Read(ref _context);
        set => Volatile.Write(ref _context, value);
    }

    /// <summary>Whether it is no longer published. A connection that looked before may still use it; nothing is kept for it any more.</summary>
    public bool IsUnpublished => Volatile.Read(ref _isUnpublished);

    /// <summary>The making of the context that is under way; everybody who needs it waits for this one.</summary>
    public ref Task<SslStreamCertificateContext>? Making => ref _making;

    /// <summary>When the context was used last, as a timestamp of the clock. A lost write does no harm.</summary>
    public long LastUsed
    {
        get => Volatile.Read(ref _lastUsed);
        set => Volatile.Write(ref _lastUsed, value);
    }

    /// <summary>How much the context is asked for: each use adds one, each idle minute halves it. Writers may overtake each other.</summary>
    public float Heat { get; private set; }

    /// <summary>What keeps .NET from dropping what OpenSSL knows of the context; one per entry at most.</summary>
    public ref object? Pin => ref _pin;

    /// <summary>Notes that it is no longer published.</summary>
    public void MarkUnpublished() => Volatile.Write(ref _isUnpublished, true);

    /// <summary>Notes a use.</summary>
    public void Touch(TimeProvider timeProvider)
    {
        var now = timeProvider.GetTimestamp();
        Heat = HeatAt(now, timeProvider) + 1;
        LastUsed = now;
    }

    /// <summary>The heat, cooled down to this moment.</summary>
    public float HeatAt(long now, TimeProvider timeProvider)
    {
        var idle = timeProvider.GetElapsedTime(LastUsed, now);
        return idle < TimeSpan.FromSeconds(1) ? Heat : Heat * MathF.Pow(0.5f, (float)idle.TotalMinutes);
    }
}
