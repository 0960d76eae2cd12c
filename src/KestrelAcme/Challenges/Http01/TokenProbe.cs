using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Challenges.Http01;

/// <summary>Asks for a token as an authority does, at one address.</summary>
internal sealed class TokenProbe(TimeProvider time)
{
    /// <summary>Where an authority asks (RFC 8555 section 8.3).</summary>
    public const int AuthoritysPort = 80;

    private const int MaxAnswer = 256;
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(3);

    /// <param name="endpoint">Where to connect.</param>
    /// <param name="host">The name or the IP address that the request is for.</param>
    /// <param name="token">The token.</param>
    /// <param name="expected">The key authorization that we would answer.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<TokenProbeResult> AskAsync(IPEndPoint endpoint, string host, string token, string expected, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(AnswerTime, time);
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
