using System.Collections.Concurrent;
using System.Net;

namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// Remembers addresses that recently accepted a connection but sent nothing on it, such as a load balancer without a server behind it.
/// For RFC 8305 such an address responds and would win every time. Thread-safe.
/// </summary>
internal sealed class BrokenAddresses(TimeProvider time)
{
    private const int MaxKept = 64;
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<IPAddress, long> _since = new();

    /// <summary>Moves those addresses to the end.</summary>
    public IReadOnlyList<IPAddress> PutLast(IReadOnlyList<IPAddress> addresses)
        => _since.IsEmpty ? addresses : [.. addresses.OrderBy(IsBroken)];

    /// <summary>Records whether an address sent anything on a connection.</summary>
    public void Note(IPAddress address, bool isBroken)
    {
        if (!isBroken)
        {
            _since.TryRemove(address, out _);
        }
        else if (_since.Count < MaxKept || _since.ContainsKey(address))
        {
            _since[address] = time.GetTimestamp();
        }
        else
        {
            _since.Clear();
        }
    }

    private bool IsBroken(IPAddress address) => _since.TryGetValue(address, out var since) && time.GetElapsedTime(since) < Kept;
}
