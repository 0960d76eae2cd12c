using System.Net;
using System.Net.Sockets;
using KestrelAcme.Testing.Servers;

namespace KestrelAcme.Protocol.Tests.Servers;

/// <summary>Makes a port of 127.0.0.1 available on another loopback address, too.</summary>
internal sealed class PortForwarder : IAsyncDisposable
{
    private readonly LoopbackListener _listener;
    private readonly int _port;

    public PortForwarder(IPAddress address, int port)
    {
        _port = port;
        _listener = new LoopbackListener(new IPEndPoint(address, port), ForwardAsync);
    }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ForwardAsync(NetworkStream from, CancellationToken cancellationToken)
    {
        using var to = new TcpClient();
        await to.ConnectAsync(IPAddress.Loopback, _port, cancellationToken);
        await Task.WhenAny(from.CopyToAsync(to.GetStream(), cancellationToken), to.GetStream().CopyToAsync(from, cancellationToken));
    }
}
