using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>Sends a request line exactly as given, which no client library would.</summary>
internal static class RawHttp
{
    /// <returns>The status code, and the whole answer.</returns>
    public static async Task<(int Status, string Answer)> SendAsync(
        IPEndPoint endpoint, string method, string target, string host, CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endpoint, cancellationToken);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(
            Encoding.Latin1.GetBytes($"{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
            cancellationToken);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var answer = await reader.ReadToEndAsync(cancellationToken);
        return (int.Parse(answer.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture), answer);
    }
}
