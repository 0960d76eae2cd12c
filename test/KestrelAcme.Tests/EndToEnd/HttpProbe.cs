using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>Sends one plain HTTP request to an endpoint, whatever its host name.</summary>
internal static class HttpProbe
{
    public static async Task<HttpResponseMessage> SendAsync(
        IPEndPoint endpoint, string path, string? host, HttpMethod method, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(endpoint, token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler, disposeHandler: false);
        using var request = new HttpRequestMessage(method, new Uri($"http://{host ?? "app.test"}{path}"));
        var response = await client.SendAsync(request, cancellationToken);
        await response.Content.LoadIntoBufferAsync(cancellationToken);
        return response;
    }
}
