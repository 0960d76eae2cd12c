using System.Collections.Concurrent;

namespace KestrelAcme.Tls;

/// <summary>Keeps one copy of each intermediate certificate: a hundred thousand leaves come from a handful of issuers.</summary>
/// <remarks>Safe for concurrent use. One that is known already costs no memory, not even for the moment.</remarks>
internal sealed class IntermediatePool
{
    // An authority has a few; past this, something makes a new one each time and sharing is of no use.
    private const int MaxShared = 1024;

    private readonly ConcurrentDictionary<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> _shared = new(BytesComparer.Instance);
    private readonly ConcurrentDictionary<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>.AlternateLookup<ReadOnlySpan<byte>> _byContent;

    public IntermediatePool() => _byContent = _shared.GetAlternateLookup<ReadOnlySpan<byte>>();

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

    /// <summary>Returns the shared copy of a certificate, made of these bytes when it is the first.</summary>
    public ReadOnlyMemory<byte> Share(ReadOnlySpan<byte> certificate) => _byContent.TryGetValue(certificate, out var known) ? known : Add(certificate.ToArray());

    private ReadOnlyMemory<byte> Share(ReadOnlyMemory<byte> certificate) => _shared.TryGetValue(certificate, out var known) ? known : Add(certificate);

    private ReadOnlyMemory<byte> Add(ReadOnlyMemory<byte> certificate) => _shared.Count < MaxShared ? _shared.GetOrAdd(certificate, certificate) : certificate;
}
