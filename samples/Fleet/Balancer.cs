using System.Net;
using System.Net.Sockets;

namespace Fleet;

/// <summary>
/// A TCP balancer: each connection goes to the next target, and to the one after that if it is down. It knows nothing of TLS.
/// </summary>
/// <param name="port">The port to listen on.</param>
/// <param name="targets">Returns the ports of the instances that listen.</param>
internal sealed class Balancer(int port, Func<IReadOnlyList<int>> targets) : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, port);
    private int _next;

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Start()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ForwardAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or SocketException)
        {
            // The balancer was disposed: "not listening" if it was just not waiting for a connection.
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        using (client)
        {
            var ports = targets();
            for (var attempt = 0; attempt < ports.Count; attempt++)
            {
                using var target = new TcpClient();
                try
                {
                    await target.ConnectAsync(IPAddress.Loopback, ports[(int)((uint)Interlocked.Increment(ref _next) % ports.Count)]);
                }
                catch (SocketException)
                {
                    continue;
                }

                await Task.WhenAny(CopyAsync(client, target), CopyAsync(target, client));
                return;
            }
        }
    }

    private static async Task CopyAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream());
            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
        {
            // One side closed the connection.
        }
    }
}
