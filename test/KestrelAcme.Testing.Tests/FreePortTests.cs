using System.Net;
using System.Net.Sockets;
using Xunit;

namespace KestrelAcme.Testing.Tests;

public sealed class FreePortTests
{
    [Fact]
    public void TcpAndUdp_Port_CanBeBoundForBothAndIsGivenOnce()
    {
        var port = FreePort.TcpAndUdp();
        using var tcp = new TcpListener(IPAddress.Loopback, port);
        using var udp = new UdpClient(new IPEndPoint(IPAddress.Loopback, port));
        tcp.Start();

        var others = Enumerable.Range(0, 50).Select(_ => FreePort.Tcp()).Append(port).ToList();

        Assert.Equal(others.Count, others.Distinct().Count());
    }
}
