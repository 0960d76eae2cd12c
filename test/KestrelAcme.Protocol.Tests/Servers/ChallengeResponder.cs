using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelAcme.Testing.Servers;

namespace KestrelAcme.Protocol.Tests.Servers;

/// <summary>Responds to http-01 validations on a loopback port.</summary>
internal sealed class ChallengeResponder : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, string> _answers = new(StringComparer.Ordinal);
    private readonly LoopbackListener _listener;

    public ChallengeResponder(int port) => _listener = new LoopbackListener(new IPEndPoint(IPAddress.Loopback, port), AnswerAsync);

    public void Add(string token, string keyAuthorization) =>
        _answers[$"GET /.well-known/acme-challenge/{token} HTTP/1.1"] = keyAuthorization;

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task AnswerAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        var line = await reader.ReadLineAsync(cancellationToken) ?? "";
        while (await reader.ReadLineAsync(cancellationToken) is { Length: > 0 })
        {
            // The rest of the head.
        }

        var answer = _answers.GetValueOrDefault(line, "");
        var status = answer.Length > 0 ? "200 OK" : "404 Not Found";
        var response = $"HTTP/1.1 {status}\r\nContent-Length: {answer.Length}\r\nConnection: close\r\n\r\n{answer}";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(response), cancellationToken);
    }
}
