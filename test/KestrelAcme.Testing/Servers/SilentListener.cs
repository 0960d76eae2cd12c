using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// Makes a loopback address look like a route that drops packets: it listens with the shortest queue, fills it and accepts nothing, so
/// that further SYNs get no response.
/// </summary>
public sealed class SilentListener : IDisposable
{
    private const int Fillers = 8;

    private readonly Socket _listener;
    private readonly List<Socket> _held = [];

    /// <summary>Starts listening.</summary>
    /// <param name="address">A loopback address.</param>
    /// <param name="port">The port; 0 for any.</param>
    public SilentListener(IPAddress address, int port = 0)
    {
        ArgumentNullException.ThrowIfNull(address);
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(address, port));
        _listener.Listen(0);
        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        for (var i = 0; i < Fillers; i++)
        {
            var filler = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _held.Add(filler);
            try
            {
                filler.Connect(EndPoint);
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // It continues in the background: into the queue, or nowhere.
            }
        }
    }

    /// <summary>The endpoint.</summary>
    public IPEndPoint EndPoint { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _held.ForEach(socket => socket.Dispose());
        _listener.Dispose();
    }
}
