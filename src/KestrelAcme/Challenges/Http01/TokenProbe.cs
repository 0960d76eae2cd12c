using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Challenges.Http01;

/// <summary>Requests a token from one address, as a CA does.</summary>
internal sealed class TokenProbe(TimeProvider time, TokenProbe.ConnectTo? connect = null)
{
    /// <summary>The port that CAs connect to (RFC 8555 section 8.3).</summary>
    public const int ValidationPort = 80;

    private const int MaxResponse = 256;
    private static readonly TimeSpan ResponseTime = TimeSpan.FromSeconds(3);

    /// <summary>Connects to an address. Tests substitute local addresses for public ones.</summary>
    public delegate Task<Stream> ConnectTo(IPEndPoint endpoint, CancellationToken cancellationToken);

    /// <param name="endpoint">The address to connect to.</param>
    /// <param name="host">The domain name or IP address to request.</param>
    /// <param name="token">The token.</param>
    /// <param name="expected">The key authorization that this instance would return.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public async Task<TokenProbeResult> AskAsync(
        IPEndPoint endpoint, string host, string token, string expected, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(ResponseTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var client = new HttpClient(Handler(endpoint)) { Timeout = Timeout.InfiniteTimeSpan };
            var url = new UriBuilder(Uri.UriSchemeHttp, host) { Path = Http01Path.Prefix + token }.Uri;
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            if (IsOwnHttps(response, url))
            {
                return TokenProbeResult.SentToHttps;
            }

            var body = await ReadAsync(response, both.Token);
            return response.StatusCode == HttpStatusCode.OK && body.Trim() == expected
                ? TokenProbeResult.Ours
                : TokenProbeResult.Foreign($"status {(int)response.StatusCode}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return TokenProbeResult.Silent($"did not respond within {ResponseTime.TotalSeconds:0} s");
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Any exception counts as no response: the other side chose the bytes
            // that made HttpClient throw, and the CA may see something else.
            return TokenProbeResult.Silent(Describe(exception));
        }
    }

    private static string Describe(Exception exception) => exception.GetBaseException() switch
    {
        NotAskedException notAsked => notAsked.Message,
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "refused the connection",
        SocketException
        {
            SocketErrorCode: SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.AddressNotAvailable
                or SocketError.AddressFamilyNotSupported
        } => "cannot be reached: there is no route to it from here",
        SocketException { SocketErrorCode: SocketError.TimedOut } => "did not respond",
        _ => "did not respond with HTTP",
    };

    // A CA follows this redirect and gets the token there, because the app's pipeline responds on every port.
    private static bool IsOwnHttps(HttpResponseMessage response, Uri asked)
        => (int)response.StatusCode is >= 300 and < 400
            && response.Headers.Location is { } location
            && Uri.TryCreate(asked, location, out var target)
            && target.Scheme == Uri.UriSchemeHttps
            && target.Host == asked.Host
            && target.AbsolutePath == asked.AbsolutePath;

    private SocketsHttpHandler Handler(IPEndPoint endpoint) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectCallback = async (_, cancellationToken) => GuardedConnection.IsLinkLocal(endpoint.Address)
            ? throw new NotAskedException()
            : await (connect ?? ConnectAsync)(endpoint, cancellationToken),
    };

    /// <summary>Connects to an endpoint over TCP.</summary>
    public static async Task<Stream> ConnectAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
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
    }

    private static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[MaxResponse];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    /// <summary>What a domain's owner writes into DNS must not lead to a service on this machine's link or of its cloud.</summary>
    private sealed class NotAskedException()
        : IOException("is not asked: it is a link-local address, or that of a cloud's metadata service");
}

/// <summary>The result of requesting a token.</summary>
/// <param name="IsOurs">Whether this app returned the token.</param>
/// <param name="ForeignResponse">The wrong response; <see langword="null"/> if there was none.</param>
/// <param name="Silence">Why there was no response: "did not respond within 3 s"; <see langword="null"/> if there was one.</param>
internal sealed record TokenProbeResult(bool IsOurs, string? ForeignResponse, string? Silence)
{
    public static TokenProbeResult Ours { get; } = new(true, null, null);

    /// <summary>A redirect to HTTPS on the same host.</summary>
    public static TokenProbeResult SentToHttps { get; } = new(false, null, null);

    public static TokenProbeResult Foreign(string response) => new(false, response, null);

    public static TokenProbeResult Silent(string what) => new(false, null, what);

    /// <summary>Describes what the address did, to be appended to it.</summary>
    public override string ToString()
        => Silence
            ?? (ForeignResponse is { } response ? $"responds with {response}"
                : IsOurs ? "returns the token"
                : "redirects to its own HTTPS");
}
