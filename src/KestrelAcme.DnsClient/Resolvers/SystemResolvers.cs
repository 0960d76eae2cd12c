using System.Net;
using System.Net.NetworkInformation;

namespace KestrelAcme.DnsClient.Resolvers;

/// <summary>
/// The resolvers of the operating system: from resolv.conf or, on Windows and macOS where that file is missing or incomplete, from the
/// network interfaces. They are looked up again after a while, because laptops and containers change networks.
/// </summary>
internal sealed class SystemResolvers(TimeProvider timeProvider, string resolvConfPath = ResolvConf.DefaultPath)
{
    public const int Port = 53;

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private volatile Snapshot? _snapshot;

    /// <summary>Returns the resolvers in order; never empty. Concurrent callers may look them up twice, which is harmless.</summary>
    public IReadOnlyList<IPEndPoint> Get()
    {
        if (_snapshot is not { } snapshot || timeProvider.GetElapsedTime(snapshot.TakenAt) > Lifetime)
        {
            _snapshot = snapshot = new Snapshot(Read(), timeProvider.GetTimestamp());
        }

        return snapshot.Servers;
    }

    private IReadOnlyList<IPEndPoint> Read()
    {
        if (OperatingSystem.IsWindows() || OperatingSystem.IsMacOS())
        {
            return OfInterfaces();
        }

        try
        {
            return ResolvConf.Read(File.ReadAllText(resolvConfPath));
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            // Without the file, the local server is the default: resolv.conf(5).
            return ResolvConf.Read("");
        }
    }

    private static IPEndPoint[] OfInterfaces()
    {
        IPEndPoint[] servers =
        [
            .. NetworkInterface.GetAllNetworkInterfaces()
                .Where(network => network.OperationalStatus == OperationalStatus.Up)
                .SelectMany(network => network.GetIPProperties().DnsAddresses)
                // Windows lists fec0:0:0:ffff::1 to ::3 if no server is configured (RFC 3879 deprecates them).
                .Where(address => !address.IsIPv6SiteLocal)
                .Distinct()
                .Select(address => new IPEndPoint(address, Port)),
        ];
        return servers.Length > 0 ? servers : [new IPEndPoint(IPAddress.Loopback, Port)];
    }

    private sealed record Snapshot(IReadOnlyList<IPEndPoint> Servers, long TakenAt);
}

/// <summary>Reads the name servers from a file in the format of resolv.conf(5).</summary>
internal static class ResolvConf
{
    public const string DefaultPath = "/etc/resolv.conf";

    // As many as the C library uses (MAXNS).
    private const int MaximumServers = 3;

    /// <summary>Skips lines that cannot be read, as the C library does. Without any server, the local one is the default.</summary>
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
