using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace KestrelAcme.Testing.Servers;

/// <summary>Accepts connections on a loopback address until it is disposed, and serves each one separately.</summary>
/// <remarks>
/// A client that disconnects ends only its own connection. An exception that a test's handler should not have thrown makes disposal fail,
/// so that the test cannot pass in spite of it.
/// </remarks>
public sealed class LoopbackListener : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _socket;
    private readonly Func<NetworkStream, CancellationToken, Task> _serve;
    private readonly Task _accepting;

    /// <summary>Starts listening.</summary>
    /// <param name="endpoint">The endpoint; port 0 for any free port.</param>
    /// <param name="serve">Serves one connection, which is then closed.</param>
    public LoopbackListener(IPEndPoint endpoint, Func<NetworkStream, CancellationToken, Task> serve)
    {
        _serve = serve;
        _socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _socket.Bind(endpoint);
            _socket.Listen();
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        Endpoint = (IPEndPoint)_socket.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    /// <summary>The endpoint.</summary>
    public IPEndPoint Endpoint { get; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _socket.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                if (await AcceptOneAsync() is { } accepted)
                {
                    connections.Add(ServeAsync(accepted));
                }
            }
        }
        catch (Exception exception) when (
            _stop.IsCancellationRequested && exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }

        await Task.WhenAll(connections);
    }

    // A client that is gone before it is accepted ends its own connection, too.
    private async Task<Socket?> AcceptOneAsync()
    {
        try
        {
            return await _socket.AcceptAsync(_stop.Token);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionAborted or SocketError.ConnectionReset)
        {
            return null;
        }
    }

    private async Task ServeAsync(Socket accepted)
    {
        try
        {
            await using var stream = new NetworkStream(accepted, ownsSocket: true);
            await _serve(stream, _stop.Token);
        }
        catch (Exception exception) when (exception is IOException or SocketException or AuthenticationException
            || (exception is OperationCanceledException or ObjectDisposedException && _stop.IsCancellationRequested))
        {
            // The client disconnected, or the test has ended.
        }
    }
}
