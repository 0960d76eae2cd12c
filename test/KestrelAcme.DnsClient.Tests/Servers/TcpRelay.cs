using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.DnsClient.Tests.Servers;

/// <summary>Forwards a message to a real server.</summary>
internal static class TcpRelay
{
    public static byte[] Ask(IPEndPoint server, byte[] request)
    {
        using var client = new TcpClient();
        client.Connect(server);
        using NetworkStream stream = client.GetStream();
        stream.Write(Reply.Framed(request));
        byte[] prefix = new byte[2];
        stream.ReadExactly(prefix);
        byte[] answer = new byte[(prefix[0] << 8) | prefix[1]];
        stream.ReadExactly(answer);
        return answer;
    }
}
