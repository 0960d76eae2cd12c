using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>
/// Tells the operator about clients that are refused because they send no server name: the health probe of a load balancer, mostly. One
/// line an hour, however many there are.
/// </summary>
internal sealed class NamelessClients(TlsCertificateTable table, TimeProvider timeProvider, ILogger<NamelessClients> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    private long _reported = -1;
    private int _refused;

    /// <summary>Notes that such a client is refused.</summary>
    /// <param name="remote">Where it came from.</param>
    public void Refused(EndPoint? remote)
    {
        var refused = Interlocked.Increment(ref _refused);
        var managed = table.Managed;
        if (managed.Count == 0 || managed.Sole is not null)
        {
            // There is none to choose, or the only one is not there yet: a default name would change nothing.
            return;
        }

        var now = timeProvider.GetTimestamp();
        var last = Interlocked.Read(ref _reported);
        if ((last < 0 || timeProvider.GetElapsedTime(last, now) >= Interval)
            && Interlocked.CompareExchange(ref _reported, now, last) == last)
        {
            Interlocked.Add(ref _refused, -refused);
            if (table.Settings.DefaultServerName is { } name)
            {
                logger.NamelessClientRefusedDespiteDefault(remote, name, refused);
            }
            else
            {
                logger.NamelessClientRefused(remote, refused);
            }
        }
    }
}
