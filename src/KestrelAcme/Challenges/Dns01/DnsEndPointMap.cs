using System.Net;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>Where the name server at an address listens: at port 53, but for tests.</summary>
internal sealed record DnsEndPointMap(Func<IPAddress, IPEndPoint> Of)
{
    public static DnsEndPointMap Standard { get; } = new(address => new IPEndPoint(address, 53));
}
