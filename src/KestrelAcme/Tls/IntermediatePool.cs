namespace KestrelAcme.Tls;

/// <summary>Keeps one copy of each intermediate certificate, because a hundred thousand leaves come from a handful of issuers.</summary>
/// <remarks>Safe for concurrent use. Looking up a known certificate does not allocate.</remarks>
internal sealed class IntermediatePool
{
    // A CA has few intermediates. Above this limit a new one is created each time, and sharing does not help.
    private const int MaxShared = 128;

    private readonly Lock _gate = new();

    // Replaced as a whole. A handful is searched as fast as a dictionary would be, and the JIT has nothing to compile for it.
    private volatile ReadOnlyMemory<byte>[] _shared = [];

    /// <summary>Returns the chain with its issuers replaced by the shared copies.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Share(IReadOnlyList<ReadOnlyMemory<byte>> chain)
    {
        ReadOnlyMemory<byte>[]? shared = null;
        for (var i = 1; i < chain.Count; i++)
        {
            var issuer = Share(chain[i]);
            if (!issuer.Equals(chain[i]))
            {
                shared ??= [.. chain];
                shared[i] = issuer;
            }
        }

        return shared ?? chain;
    }

    /// <summary>Returns the shared copy of a certificate; creates it from these bytes if it is new.</summary>
    public ReadOnlyMemory<byte> Share(ReadOnlySpan<byte> certificate)
        => IndexOf(certificate, _shared) is >= 0 and var at ? _shared[at] : Add(certificate.ToArray());

    private ReadOnlyMemory<byte> Share(ReadOnlyMemory<byte> certificate)
        => IndexOf(certificate.Span, _shared) is >= 0 and var at ? _shared[at] : Add(certificate);

    private static int IndexOf(ReadOnlySpan<byte> certificate, ReadOnlyMemory<byte>[] among)
    {
        for (var i = 0; i < among.Length; i++)
        {
            if (certificate.SequenceEqual(among[i].Span))
            {
                return i;
            }
        }

        return -1;
    }

    private ReadOnlyMemory<byte> Add(ReadOnlyMemory<byte> certificate)
    {
        lock (_gate)
        {
            var known = _shared;
            if (IndexOf(certificate.Span, known) is >= 0 and var at)
            {
                return known[at];
            }

            if (known.Length < MaxShared)
            {
                var all = new ReadOnlyMemory<byte>[known.Length + 1];
                Array.Copy(known, all, known.Length);
                all[^1] = certificate;
                _shared = all;
            }

            return certificate;
        }
    }
}

/// <summary>Compares byte sequences by content, so that a dictionary can be keyed by bytes and queried with a span.</summary>
internal sealed class BytesComparer
    : IEqualityComparer<ReadOnlyMemory<byte>>, IAlternateEqualityComparer<ReadOnlySpan<byte>, ReadOnlyMemory<byte>>
{
    private BytesComparer()
    {
    }

    public static BytesComparer Instance { get; } = new();

    public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

    public bool Equals(ReadOnlySpan<byte> alternate, ReadOnlyMemory<byte> other) => alternate.SequenceEqual(other.Span);

    public int GetHashCode(ReadOnlyMemory<byte> obj) => GetHashCode(obj.Span);

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        var hash = new HashCode();
        hash.AddBytes(alternate);
        return hash.ToHashCode();
    }

    public ReadOnlyMemory<byte> Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
