using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Challenges.Http01;

/// <summary>Asks for a token as an authority does, at one address.</summary>
internal sealed class TokenProbe(TimeProvider time)
{
    private const int MaxAnswer = 256;
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(3);

    public async Task<TokenProbeResult> AskAsync(IPEndPoint endpoint, string host, string token, string expected, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(AnswerTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var client = new HttpClient(Handler(endpoint)) { Timeout = Timeout.InfiniteTimeSpan };
            using var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(Uri.UriSchemeHttp, host) { Path = Http01Path.Prefix + token }.Uri);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            if (IsOwnHttps(response, request.RequestUri!))
            {
                return TokenProbeResult.SentToHttps;
            }

            var answer = await ReadAsync(response, both.Token);
            return response.StatusCode == HttpStatusCode.OK && answer.Trim() == expected
                ? TokenProbeResult.Ours
                : TokenProbeResult.Foreign($"status {(int)response.StatusCode}");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return TokenProbeResult.Unreachable;
        }
    }

    // An authority follows it, and finds the answer there: our pipeline answers on every port.
    private static bool IsOwnHttps(HttpResponseMessage response, Uri asked)
        => (int)response.StatusCode is >= 300 and < 400
            && response.Headers.Location is { } location
            && new Uri(asked, location) is { Scheme: "https" } target
            && target.Host == asked.Host
            && target.AbsolutePath == asked.AbsolutePath;

    private static SocketsHttpHandler Handler(IPEndPoint endpoint) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectCallback = async (_, cancellationToken) =>
        {
            if (GuardedConnection.IsLinkLocal(endpoint.Address))
            {
                throw new HttpRequestException("Link-local addresses are not asked.");
            }

            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(endpoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    };

    private static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[MaxAnswer];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return Encoding.ASCII.GetString(buffer, 0, length);
    }
}
