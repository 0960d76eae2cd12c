using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>
/// Logs a warning about refused clients that send no server name, usually health probes of load balancers. At most one line an hour.
/// </summary>
internal sealed class NamelessClients(TlsCertificateTable table, TimeProvider timeProvider, ILogger<NamelessClients> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    private long _reported = -1;
    private int _refused;

    /// <summary>Counts a refused client.</summary>
    /// <param name="remote">The address of the client.</param>
    public void Refused(EndPoint? remote)
    {
        var refused = Interlocked.Increment(ref _refused);
        var managed = table.Managed;
        if (managed.Count == 0 || managed.Sole is not null)
        {
            // There is no certificate, or a single one that is not issued yet: a default server name would not help.
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
                logger.NamelessClientRefusedDespiteDefault(remote, name.ToString(), refused);
            }
            else
            {
                logger.NamelessClientRefused(remote, refused);
            }
        }
    }
}
