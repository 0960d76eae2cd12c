using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Testing;

/// <summary>
/// Finds loopback ports for servers that cannot listen on port 0. A port is bound to check that it is free and then released, so another
/// process may take it before the server binds it. Two things make that rare: ports are below the system's ephemeral range, and no port is
/// used twice by this test process or another one running at the same time. Code that starts a server must still retry with new ports.
/// </summary>
public static class FreePort
{
    private const int First = 10_240;
    private const int End = 32_000;
    private static readonly PortReservations Ports = new(First, End);
    private static readonly Lock Gate = new();

    /// <summary>A port free for TCP on 127.0.0.1.</summary>
    public static int Tcp() => Pick(port => IsFree(port, SocketType.Stream, ProtocolType.Tcp));

    /// <summary>A port free for UDP on 127.0.0.1.</summary>
    public static int Udp() => Pick(port => IsFree(port, SocketType.Dgram, ProtocolType.Udp));

    /// <summary>A port free for both on 127.0.0.1, as a DNS server needs it.</summary>
    public static int TcpAndUdp() =>
        Pick(port => IsFree(port, SocketType.Stream, ProtocolType.Tcp) && IsFree(port, SocketType.Dgram, ProtocolType.Udp));

    private static int Pick(Func<int, bool> free)
    {
        for (var attempt = 0; attempt < 1_000; attempt++)
        {
            int port;
            lock (Gate)
            {
                port = Ports.Next();
            }

            if (free(port))
            {
                return port;
            }
        }

        throw new InvalidOperationException($"No free loopback port between {First} and {End}.");
    }

    private static bool IsFree(int port, SocketType type, ProtocolType protocol)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            return false;
        }
    }
}
