using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// Responds to each request with the given bytes, whatever the request is, and closes the connection: a server that need not be an HTTP
/// server.
/// </summary>
public sealed class OddHttpServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private byte[] _answer = [];
    private int _requests;

    /// <summary>Listens on a free port.</summary>
    /// <param name="address">A loopback address; <see langword="null"/> for 127.0.0.1.</param>
    /// <param name="port">The port; 0 for any.</param>
    public OddHttpServer(IPAddress? address = null, int port = 0)
    {
        _listener = new TcpListener(address ?? IPAddress.Loopback, port);
        _listener.Start();
        EndPoint = (IPEndPoint)_listener.LocalEndpoint;
        _loop = AcceptAsync();
    }

    /// <summary>The endpoint.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>The number of requests so far.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>The response from now on.</summary>
    public byte[] Answer
    {
        get => Volatile.Read(ref _answer);
        set => Volatile.Write(ref _answer, value);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync();
        _listener.Stop();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            _ = ServeAsync(await _listener.AcceptSocketAsync(_stop.Token));
        }
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            using var stream = new NetworkStream(client, ownsSocket: true);
            var head = new byte[8192];
            if (await stream.ReadAsync(head, _stop.Token) > 0)
            {
                Interlocked.Increment(ref _requests);
                await stream.WriteAsync(Answer, _stop.Token);
                client.Shutdown(SocketShutdown.Send);
                while (await stream.ReadAsync(head, _stop.Token) > 0)
                {
                    // Reads the rest of the request: closing a connection with unread bytes resets it, and the response is lost.
                }
            }
        }
        catch (Exception exception) when (
            exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client closed the connection.
        }
    }
}
