using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Protocol.Tests.Servers;

/// <summary>Makes a port of 127.0.0.1 answer at another loopback address too.</summary>
internal sealed class PortForwarder : IDisposable
{
    private readonly TcpListener _listener;
    private readonly int _port;

    public PortForwarder(IPAddress address, int port)
    {
        _port = port;
        _listener = new TcpListener(address, port);
        _listener.Start();
        _ = ForwardAsync();
    }

    public void Dispose() => _listener.Dispose();

    private async Task ForwardAsync()
    {
        try
        {
            while (true)
            {
                using var from = await _listener.AcceptTcpClientAsync();
                using var to = new TcpClient();
                await to.ConnectAsync(IPAddress.Loopback, _port);
                await Task.WhenAny(from.GetStream().CopyToAsync(to.GetStream()), to.GetStream().CopyToAsync(from.GetStream()));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            // The test is over.
        }
    }
}
