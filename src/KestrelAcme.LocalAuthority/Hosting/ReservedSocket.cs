using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.LocalAuthority.Hosting;

/// <summary>A listening socket that nobody accepts from yet: its port is ours, and known, before the server starts; early clients wait.</summary>
internal static class ReservedSocket
{
    private const int Backlog = 512;

    /// <param name="asked">The port that must be used; null for <paramref name="preferred"/> or, when that is taken, any.</param>
    /// <param name="preferred">0 for any.</param>
    /// <exception cref="InvalidOperationException">The port asked for is taken.</exception>
    public static Socket Bind(int? asked, int preferred)
    {
        if (asked is { } port)
        {
            return TryBind(port) ?? throw new InvalidOperationException(
                $"The local authority cannot listen on 127.0.0.1:{port}: the port is taken. Free it, or set another port.");
        }

        return (preferred == 0 ? null : TryBind(preferred))
            ?? TryBind(0)
            ?? throw new InvalidOperationException("The local authority found no free port on 127.0.0.1.");
    }

    private static Socket? TryBind(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // Bound alone is not reserved: on Unix .NET binds with SO_REUSEADDR, and two may bind where neither listens.
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }
}
