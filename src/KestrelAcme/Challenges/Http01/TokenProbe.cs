using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Challenges.Http01;

/// <summary>Asks for a token as an authority does, at one address.</summary>
internal sealed class TokenProbe(TimeProvider time, TokenProbe.ConnectTo? connect = null)
{
    /// <summary>Where an authority asks (RFC 8555 section 8.3).</summary>
    public const int AuthoritysPort = 80;

    private const int MaxAnswer = 256;
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(3);

    /// <summary>Connects to an address; tests put others in the place of public ones.</summary>
    public delegate Task<Stream> ConnectTo(IPEndPoint endpoint, CancellationToken cancellationToken);

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
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return TokenProbeResult.Silent($"did not answer within {AnswerTime.TotalSeconds:0} s");
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is: a stranger chose the octets that made HttpClient throw, and they are no reason not to ask the CA.
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
        SocketException { SocketErrorCode: SocketError.TimedOut } => "did not answer",
        _ => "did not answer in HTTP",
    };

    // An authority follows it, and finds the answer there: our pipeline answers on every port.
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

    private static async Task<Stream> ConnectAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
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
        var buffer = new byte[MaxAnswer];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    /// <summary>What a name's owner writes into DNS must not reach a service of this machine's link or of its cloud.</summary>
    private sealed class NotAskedException()
        : IOException("is not asked: it is a link-local address, or that of a cloud's metadata service");
}

/// <summary>What came back when a token was asked for.</summary>
/// <param name="IsOurs">Whether it was our answer.</param>
/// <param name="ForeignAnswer">What somebody else answered; <see langword="null"/> when nobody did.</param>
/// <param name="Silence">Why there was no answer: "did not answer within 3 s"; <see langword="null"/> when there was one.</param>
internal sealed record TokenProbeResult(bool IsOurs, string? ForeignAnswer, string? Silence)
{
    public static TokenProbeResult Ours { get; } = new(true, null, null);

    /// <summary>The same host's HTTPS is to be asked.</summary>
    public static TokenProbeResult SentToHttps { get; } = new(false, null, null);

    public static TokenProbeResult Foreign(string answer) => new(false, answer, null);

    public static TokenProbeResult Silent(string what) => new(false, null, what);

    /// <summary>What the address did, to be read after it.</summary>
    public override string ToString()
        => Silence
            ?? (ForeignAnswer is { } answer ? $"answers with {answer}" : IsOurs ? "answers with our token" : "redirects to its own HTTPS");
}
