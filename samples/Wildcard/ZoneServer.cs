using System.Net;
using System.Net.Sockets;

namespace Wildcard;

/// <summary>A name server for one zone, over UDP on a free port of this machine.</summary>
internal sealed class ZoneServer : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    public ZoneServer(string apex)
    {
        Zone = new Zone(apex);
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public Zone Zone { get; }

    public IPEndPoint EndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    public void Start() => _ = Task.Run(RunAsync);

    public void Dispose() => _socket.Dispose();

    private async Task RunAsync()
    {
        var buffer = new byte[4096];
        while (true)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(buffer, EndPoint);
                if (DnsReply.To(buffer.AsSpan(0, received.ReceivedBytes), Zone) is { } reply)
                {
                    await _socket.SendToAsync(reply, received.RemoteEndPoint);
                }
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // The client is gone. Serve the next one.
            }
        }
    }
}
