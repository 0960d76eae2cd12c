using System.Net;

namespace KestrelAcme.DnsClient.Resolvers;

/// <summary>The name servers in a file of the format of resolv.conf(5).</summary>
internal static class ResolvConf
{
    public const string DefaultPath = "/etc/resolv.conf";

    // As many as the C library asks (MAXNS).
    private const int MaximumServers = 3;

    /// <summary>Lines that cannot be read are skipped, as the C library does; without any server it is the local one.</summary>
    public static IReadOnlyList<IPEndPoint> Read(string text)
    {
        List<IPEndPoint> servers = [];
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words is ["nameserver", var address, ..] && IPAddress.TryParse(address, out IPAddress? parsed)
                && servers.Count < MaximumServers)
            {
                servers.Add(new IPEndPoint(parsed, SystemResolvers.Port));
            }
        }

        return servers.Count > 0 ? servers : [new IPEndPoint(IPAddress.Loopback, SystemResolvers.Port)];
    }
}
