using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.LocalAuthority.Hosting;

/// <summary>
/// Creates listening sockets in advance, so that the ports are reserved and known before the server starts. Early
/// clients wait.
/// </summary>
internal static class ReservedSocket
{
    private const int Backlog = 512;

    /// <param name="asked">The required port; null for <paramref name="preferred"/> or, if that is taken, any free port.</param>
    /// <param name="preferred">The preferred port; 0 for any.</param>
    /// <exception cref="InvalidOperationException">The required port is taken.</exception>
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
            // Binding alone does not reserve a port: on Unix, .NET sets SO_REUSEADDR, and several sockets can bind as long as none listens.
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
