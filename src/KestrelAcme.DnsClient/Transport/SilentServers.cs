using System.Collections.Concurrent;
using System.Net;

namespace KestrelAcme.DnsClient.Transport;

/// <summary>Remembers for a few minutes which servers did not respond, so that later queries do not wait for them first.</summary>
internal sealed class SilentServers(TimeProvider timeProvider)
{
    private const int Most = 1000;
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<IPEndPoint, long> _since = new();

    public bool Contains(IPEndPoint server) => _since.TryGetValue(server, out long since) && timeProvider.GetElapsedTime(since) < Memory;

    public void Add(IPEndPoint server)
    {
        // Far more than anybody configures: the servers of hostile zones are forgotten all at once.
        if (_since.Count >= Most)
        {
            _since.Clear();
        }

        _since[server] = timeProvider.GetTimestamp();
    }

    public void Remove(IPEndPoint server) => _since.TryRemove(server, out _);
}
