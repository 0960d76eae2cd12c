using System.Collections.Concurrent;
using System.Net;

namespace KestrelAcme.DnsClient.Transport;

/// <summary>Remembers for some minutes which servers left a question without an answer, so that nobody waits long for them again.</summary>
internal sealed class SilentServers(TimeProvider timeProvider)
{
    private const int Most = 1000;
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<IPEndPoint, long> _since = new();

    public bool Contains(IPEndPoint server) => _since.TryGetValue(server, out long since) && timeProvider.GetElapsedTime(since) < Memory;

    public void Add(IPEndPoint server)
    {
        // Far more than anybody has: what strangers' zones name is forgotten as a whole.
        if (_since.Count >= Most)
        {
            _since.Clear();
        }

        _since[server] = timeProvider.GetTimestamp();
    }

    public void Remove(IPEndPoint server) => _since.TryRemove(server, out _);
}
