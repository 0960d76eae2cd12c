using System.Net.Http.Headers;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Sends one request once and reads its answer: bounded in size and time.</summary>
internal sealed class HttpExchange(AcmeClientOptions options, Uri origin, HttpClient client)
{
    private readonly TimeProvider _timeProvider = options.TimeProvider;
    private readonly TimeSpan _timeout = options.RequestTimeout;
    private readonly AcmeRequestPace? _pace = options.RequestPace;
    private readonly string _acceptLanguage = options.AcceptLanguage;
    private readonly IReadOnlyList<ProductInfoHeaderValue> _userAgent = UserAgent.Create(options.UserAgentProduct);
    private ServerClock? _clock;

    /// <summary>The clock of the server by the last answer that had a Date.</summary>
    public ServerClock? Clock => Volatile.Read(ref _clock);

    /// <summary>Sends.</summary>
    /// <param name="call">What for and where.</param>
    /// <param name="method">The method.</param>
    /// <param name="jws">The body of a POST.</param>
    /// <param name="cancellationToken">Ends it; the only way to an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="AcmeUnreachableException">No answer.</exception>
    /// <exception cref="AcmeMalformedResponseException">The answer is too large.</exception>
    public async Task<AcmeResponse> SendAsync(AcmeCall call, HttpMethod method, byte[]? jws, CancellationToken cancellationToken)
    {
        if (_pace is not null)
        {
            await _pace.WaitAsync(call.Kind, cancellationToken).ConfigureAwait(false);
        }

        using var request = CreateRequest(call, method, jws);
        using var timeout = new TimeLimit(_timeout, _timeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, linked.Token).ConfigureAwait(false);
            var body = await BoundedContent.ReadAsync(response.Content, BoundedContent.MaxLength, linked.Token).ConfigureAwait(false);
            var answer = ToAnswer(call, response, body ?? []);
            return body is null ? throw answer.Malformed($"the answer is larger than {BoundedContent.MaxLength} bytes") : answer;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException
            or UriFormatException or FormatException or ArgumentException or InvalidOperationException or NotSupportedException or OverflowException)
        {
            // The last six: a server answered with what HttpClient does not expect. Nothing that a stranger sends may look like a defect
            // here.
            cancellationToken.ThrowIfCancellationRequested();
            throw ConnectionFailure.From(call, e, timeout.IsCancellationRequested ? _timeout : null);
        }
    }

    private HttpRequestMessage CreateRequest(AcmeCall call, HttpMethod method, byte[]? jws)
    {
        var request = new HttpRequestMessage(method, call.Url);
        request.Headers.Accept.ParseAdd(call.Accept);
        request.Headers.AcceptLanguage.ParseAdd(_acceptLanguage);
        foreach (var product in _userAgent)
        {
            request.Headers.UserAgent.Add(product);
        }

        if (jws is not null)
        {
            request.Content = new ByteArrayContent(jws);
            // The server compares the media type with "application/jose+json" as it stands: no charset.
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/jose+json");
        }

        return request;
    }

    private AcmeResponse ToAnswer(AcmeCall call, HttpResponseMessage response, byte[] body)
    {
        var now = _timeProvider.GetUtcNow();
        if (response.Headers.Date is { } date)
        {
            Volatile.Write(ref _clock, new ServerClock(date, _timeProvider.GetTimestamp()));
        }

        return new AcmeResponse
        {
            Call = call,
            Origin = origin,
            Status = response.StatusCode,
            Body = body,
            MediaType = response.Content.Headers.ContentType?.MediaType?.ToLowerInvariant(),
            Nonce = Single(response.Headers, "Replay-Nonce"),
            Location = Location(call, origin, response.Headers),
            RetryAfter = RetryAfterHeader.Parse(Single(response.Headers, "Retry-After"), response.Headers.Date, now),
            Links = response.Headers.TryGetValues("Link", out var links) ? LinkHeader.Parse(links, call.Url, origin) : [],
        };
    }

    private static Uri? Location(AcmeCall call, Uri origin, HttpResponseHeaders headers) =>
        Single(headers, "Location") is { } text && Uri.TryCreate(call.Url, text, out var url) && UrlPolicy.IsAllowed(url, origin)
            ? url : null;

    private static string? Single(HttpResponseHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
