using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace KestrelAcme.Testing.Servers;

/// <summary>Accepts connections on a loopback address until it is disposed, and serves each of them by itself.</summary>
/// <remarks>
/// A client that goes away in the middle ends its own connection and nothing else. An exception that a test's handler should not
/// have thrown fails the disposal, so that no test passes beside it.
/// </remarks>
public sealed class LoopbackListener : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _socket;
    private readonly Func<NetworkStream, CancellationToken, Task> _serve;
    private readonly Task _accepting;

    /// <summary>Listens at once.</summary>
    /// <param name="endpoint">Where to listen; port 0 for any that is free.</param>
    /// <param name="serve">Serves one connection, which is closed after it.</param>
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

    /// <summary>Where it listens.</summary>
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
                connections.Add(ServeAsync(await _socket.AcceptAsync(_stop.Token)));
            }
        }
        catch (Exception exception) when (
            _stop.IsCancellationRequested && exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }

        await Task.WhenAll(connections);
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
            // The client went away, or the test is over.
        }
    }
}
