using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ConsoleClient;

/// <summary>A minimal HTTP server that only responds to http-01 challenges (RFC 8555 section 8.3).</summary>
internal sealed class Http01Responder : IAsyncDisposable
{
    private const string Prefix = "/.well-known/acme-challenge/";
    private const int MaxHeadLength = 8192;

    private readonly ConcurrentDictionary<string, string> _answers = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private readonly TcpListener _listener;
    private readonly Action<string> _log;
    private readonly Task _accepting;

    private Http01Responder(TcpListener listener, Action<string> log)
    {
        _listener = listener;
        _log = log;
        _accepting = AcceptAsync();
    }

    /// <exception cref="SocketException">The port is in use, or requires more privileges.</exception>
    public static Http01Responder Start(int port, Action<string> log)
    {
        // Dual mode: IPv4 and IPv6.
        var listener = TcpListener.Create(port);
        listener.Start();
        return new Http01Responder(listener, log);
    }

    public void Add(string token, string keyAuthorization) => _answers[token] = keyAuthorization;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                open.RemoveAll(task => task.IsCompleted);
                open.Add(AnswerAsync(client));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10), TimeProvider.System);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        try
        {
            using (client)
            {
                var stream = client.GetStream();
                var head = await ReadHeadAsync(stream, linked.Token);
                var response = Respond(head, client.Client.RemoteEndPoint);
                await stream.WriteAsync(response, linked.Token);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client is gone or too slow.
        }
    }

    private static async Task<string> ReadHeadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxHeadLength];
        var length = 0;
        while (length < buffer.Length && !buffer.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken);
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    private byte[] Respond(string head, EndPoint? from)
    {
        var line = head.Split("\r\n", 2)[0].Split(' ');
        var known = line is ["GET" or "HEAD", var path, _] && path.StartsWith(Prefix, StringComparison.Ordinal)
            && _answers.TryGetValue(path[Prefix.Length..], out var answer) ? answer : null;
        if (known is null)
        {
            return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray();
        }

        _log($"           {from} requested the token and got the key authorization");
        var header = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
            + $"Content-Length: {known.Length}\r\nConnection: close\r\n\r\n";
        return Encoding.ASCII.GetBytes(line[0] == "HEAD" ? header : header + known);
    }
}
