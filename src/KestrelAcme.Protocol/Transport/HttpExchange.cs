using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Sends a request once and reads the response, with limits on size and time.</summary>
internal sealed class HttpExchange(AcmeClientOptions options, Uri origin, HttpClient client)
{
    private readonly TimeProvider _timeProvider = options.TimeProvider;
    private readonly TimeSpan _timeout = options.RequestTimeout;
    private readonly AcmeRequestPace? _pace = options.RequestPace;
    private readonly string _acceptLanguage = options.AcceptLanguage;
    private readonly IReadOnlyList<ProductInfoHeaderValue> _userAgent = UserAgent.Create(options.UserAgentProduct);
    private ServerClock? _clock;

    /// <summary>The server's clock according to the last response with a Date header, and its age if it comes from a cache.</summary>
    public ServerClock? Clock => Volatile.Read(ref _clock);

    /// <summary>Sends a request.</summary>
    /// <param name="call">The request.</param>
    /// <param name="method">The method.</param>
    /// <param name="jws">The body of a POST request.</param>
    /// <param name="cancellationToken">Cancels the operation. <see cref="OperationCanceledException"/> is thrown only because of
    /// it.</param>
    /// <exception cref="AcmeUnreachableException">There was no response.</exception>
    /// <exception cref="AcmeMalformedResponseException">The response is too large.</exception>
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
            using var message = await client
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, linked.Token).ConfigureAwait(false);
            var body = await BoundedContent.ReadAsync(message.Content, BoundedContent.MaxLength, linked.Token).ConfigureAwait(false);
            var response = ToResponse(call, message, body ?? []);
            return body is null ? throw response.Malformed($"the response is larger than {BoundedContent.MaxLength} bytes") : response;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException
            or UriFormatException or FormatException or ArgumentException or InvalidOperationException or NotSupportedException
            or OverflowException)
        {
            // The last six are thrown if a server's response violates what HttpClient expects. Remote data must never look like a
            // bug here.
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
            // Servers compare the media type with exactly "application/jose+json": no charset.
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/jose+json");
        }

        return request;
    }

    private AcmeResponse ToResponse(AcmeCall call, HttpResponseMessage message, byte[] body)
    {
        var date = ServerDate(message.Headers);
        if (date is { } known)
        {
            Volatile.Write(ref _clock, new ServerClock(known, _timeProvider.GetTimestamp()));
        }

        return new AcmeResponse
        {
            Call = call,
            Origin = origin,
            Status = message.StatusCode,
            Body = body,
            MediaType = message.Content.Headers.ContentType?.MediaType?.ToLowerInvariant(),
            Nonce = Single(message.Headers, "Replay-Nonce"),
            Location = Location(call, origin, message.Headers),
            RetryAfter = RetryAfterHeader.Parse(Single(message.Headers, "Retry-After"), date, _timeProvider.GetUtcNow()),
            Links = message.Headers.TryGetValues("Link", out var links) ? LinkHeader.Parse(links, call.Url, origin) : [],
        };
    }

    // A cache keeps the Date of the origin and adds the age of the response (RFC 9111 section 5.1): the directory and renewal information
    // may come from one, and would make the server's clock look hours behind.
    private static DateTimeOffset? ServerDate(HttpResponseHeaders headers)
    {
        var age = headers.Age ?? TimeSpan.Zero;
        return headers.Date is { } date && date < DateTimeOffset.MaxValue - age ? date + age : headers.Date;
    }

    private static Uri? Location(AcmeCall call, Uri origin, HttpResponseHeaders headers) =>
        Single(headers, "Location") is { } text && Uri.TryCreate(call.Url, text, out var url) && UrlPolicy.IsAllowed(url, origin)
            ? url : null;

    private static string? Single(HttpResponseHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}

/// <summary>Reads both forms of Retry-After (RFC 9110 section 10.2.3).</summary>
internal static class RetryAfterHeader
{
    private static readonly TimeSpan Max = TimeSpan.FromDays(366);

    /// <summary>Returns the time to wait: never negative, at most a year.</summary>
    /// <param name="value">The header.</param>
    /// <param name="serverDate">The Date header of the same response: a date is relative to the server's clock.</param>
    /// <param name="now">This machine's clock, used if the server sent no date.</param>
    public static TimeSpan? Parse(string? value, DateTimeOffset? serverDate, DateTimeOffset now)
    {
        value = value?.Trim();
        if (string.IsNullOrEmpty(value))
        {
            return null;
        }

        if (!value.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            // Nine digits are 31 years; more would not fit.
            return value.Length > 9 ? Max : Clamp(TimeSpan.FromSeconds(int.Parse(value, CultureInfo.InvariantCulture)));
        }

        return RetryConditionHeaderValue.TryParse(value, out var parsed) && parsed.Date is { } date
            ? Clamp(date - (serverDate ?? now))
            : null;
    }

    private static TimeSpan Clamp(TimeSpan wait) => wait < TimeSpan.Zero ? TimeSpan.Zero : wait > Max ? Max : wait;
}

/// <summary>Reads the content of a response up to a limit.</summary>
internal static class BoundedContent
{
    /// <summary>The maximum size of a response, in bytes.</summary>
    public const int MaxLength = 1024 * 1024;

    /// <summary>Reads the whole content.</summary>
    /// <returns><see langword="null"/> if the content exceeds the limit.</returns>
    public static async Task<byte[]?> ReadAsync(HttpContent content, int maxLength, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > maxLength)
        {
            return null;
        }

        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var buffer = new ArrayBufferWriter<byte>();
            while (true)
            {
                var read = await stream.ReadAsync(buffer.GetMemory(4096), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    return buffer.WrittenSpan.ToArray();
                }

                buffer.Advance(read);
                if (buffer.WrittenCount > maxLength)
                {
                    return null;
                }
            }
        }
    }
}

/// <summary>Creates the User-Agent header (required by RFC 8555 section 6.1; servers respond with 400 without it).</summary>
internal static class UserAgent
{
    private static readonly string Version = typeof(UserAgent).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    public static IReadOnlyList<ProductInfoHeaderValue> Create(ProductInfoHeaderValue? product)
    {
        var own = new ProductInfoHeaderValue("KestrelAcme.Protocol", Version);
        var platform = new ProductInfoHeaderValue("dotnet", Environment.Version.ToString(3));
        return product is null ? [own, platform] : [product, own, platform];
    }
}
