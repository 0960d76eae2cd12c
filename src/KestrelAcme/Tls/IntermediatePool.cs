using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace KestrelAcme.Tls;

/// <summary>Keeps one copy of each intermediate certificate: a hundred thousand leaves come from a handful of issuers.</summary>
internal sealed class IntermediatePool
{
    // An authority has a few; past this, something makes a new one each time and sharing is of no use.
    private const int MaxShared = 1024;

    private readonly ConcurrentDictionary<string, ReadOnlyMemory<byte>> _shared = new(StringComparer.Ordinal);

    /// <summary>Returns the chain with its issuers replaced by the shared copies.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Share(IReadOnlyList<ReadOnlyMemory<byte>> chain)
    {
        var shared = new ReadOnlyMemory<byte>[chain.Count];
        var same = true;
        for (var i = 0; i < chain.Count; i++)
        {
            shared[i] = i == 0 ? chain[0] : Share(chain[i]);
            same &= shared[i].Equals(chain[i]);
        }

        return same ? chain : shared;
    }

    private ReadOnlyMemory<byte> Share(ReadOnlyMemory<byte> certificate)
    {
        var key = Convert.ToHexString(SHA256.HashData(certificate.Span));
        return _shared.TryGetValue(key, out var known) ? known
            : _shared.Count < MaxShared ? _shared.GetOrAdd(key, certificate)
            : certificate;
    }
}
