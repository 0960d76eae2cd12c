using System.Net;
using System.Net.NetworkInformation;

namespace KestrelAcme.DnsClient.Resolvers;

/// <summary>
/// The resolvers that the operating system uses: from resolv.conf, and on Windows and macOS, where that file is missing or only a
/// shadow, from the network interfaces. Looked up again after a while, because laptops and containers change networks.
/// </summary>
internal sealed class SystemResolvers(TimeProvider timeProvider, string resolvConfPath = ResolvConf.DefaultPath)
{
    public const int Port = 53;

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private volatile Snapshot? _snapshot;

    /// <summary>The resolvers in order; never empty. Callers at the same moment may look up twice, which harms nobody.</summary>
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
            // No file means the local server: resolv.conf(5).
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
                // fec0:0:0:ffff::1 to ::3 is what Windows shows where no server is set (RFC 3879 withdrew them).
                .Where(address => !address.IsIPv6SiteLocal)
                .Distinct()
                .Select(address => new IPEndPoint(address, Port)),
        ];
        return servers.Length > 0 ? servers : [new IPEndPoint(IPAddress.Loopback, Port)];
    }

    private sealed record Snapshot(IReadOnlyList<IPEndPoint> Servers, long TakenAt);
}
