using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KestrelAcme.Protocol.Tests.Servers;

/// <summary>Answers http-01 on a loopback port.</summary>
internal sealed class ChallengeResponder : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, string> _answers = new(StringComparer.Ordinal);
    private readonly TcpListener _listener;
    private readonly Task _serving;

    public ChallengeResponder(int port)
    {
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _serving = ServeAsync();
    }

    public void Add(string token, string keyAuthorization) => _answers[$"GET /.well-known/acme-challenge/{token} HTTP/1.1"] = keyAuthorization;

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _serving;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync();
                using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
                var line = await reader.ReadLineAsync() ?? "";
                while (await reader.ReadLineAsync() is { Length: > 0 })
                {
                    // The rest of the head.
                }

                var answer = _answers.GetValueOrDefault(line, "");
                var status = answer.Length > 0 ? "200 OK" : "404 Not Found";
                var response = $"HTTP/1.1 {status}\r\nContent-Length: {answer.Length}\r\nConnection: close\r\n\r\n{answer}";
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(response));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            // The test is over.
        }
    }
}
