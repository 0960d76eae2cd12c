using System.Collections.Concurrent;
using System.Net;

namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// The addresses that accepted a connection lately and sent nothing on it, such as a balancer without a server behind it. To RFC 8305 such
/// an address answers, and would win each time. Thread-safe.
/// </summary>
internal sealed class BrokenAddresses(TimeProvider time)
{
    private const int MaxKept = 64;
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<IPAddress, long> _since = new();

    /// <summary>Puts those addresses last.</summary>
    public IReadOnlyList<IPAddress> PutLast(IReadOnlyList<IPAddress> addresses)
        => _since.IsEmpty ? addresses : [.. addresses.OrderBy(IsBroken)];

    /// <summary>Notes whether an address sent anything on a connection.</summary>
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
