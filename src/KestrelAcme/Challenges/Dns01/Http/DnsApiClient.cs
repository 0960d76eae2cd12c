using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Challenges.Dns01.Http;

/// <summary>
/// Calls the HTTP API of a DNS provider. Requests are bounded in time and size, do not follow redirects (which could leak credentials), and
/// are retried a few times if the service is busy or unreachable. Safe for concurrent use.
/// </summary>
/// <remarks>Every request sent by <see cref="SendAsync"/> must be safe to repeat.</remarks>
internal sealed class DnsApiClient : IDisposable
{
    private const int MaxResponseLength = 1024 * 1024;
    private const int Attempts = 3;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(366);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly HttpClient _client;
    private readonly TimeProvider _time;

    public DnsApiClient(Uri baseUrl, TimeProvider time)
    {
        // Without a trailing slash, the last segment of the path would be dropped.
        BaseUrl = baseUrl.AbsoluteUri.EndsWith('/') ? baseUrl : new Uri(baseUrl.AbsoluteUri + "/");
        _time = time;
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            Proxy = new EnvironmentProxy(),
            AutomaticDecompression = DecompressionMethods.All,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectCallback = GuardedConnection.Anywhere(time).ConnectAsync,
            ConnectTimeout = ConnectTime,
        })
        {
            BaseAddress = BaseUrl,
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaxResponseLength,
        };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("KestrelAcme", "1"));
        _client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    public Uri BaseUrl { get; }

    /// <summary>The headers of all requests, for credentials.</summary>
    public HttpRequestHeaders Headers => _client.DefaultRequestHeaders;

    /// <summary>Sends a request.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="path">The path, relative to the base URL.</param>
    /// <param name="content">Creates the body, once for each attempt.</param>
    /// <param name="zone">The zone, for messages.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="DnsProviderException">
    /// The service could not be reached, or asks for a longer delay than a call can wait for.
    /// </exception>
    public async Task<DnsApiResponse> SendAsync(
        HttpMethod method, string path, Func<HttpContent>? content, string zone, CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++, pause *= 2)
        {
            DnsApiResponse response;
            try
            {
                response = await SendOnceAsync(method, path, content, zone, cancellationToken);
            }
            catch (DnsProviderException) when (attempt < Attempts)
            {
                await Task.Delay(pause, _time, cancellationToken);
                continue;
            }

            if (!IsBusy(response.StatusCode) || attempt == Attempts || response.RetryAfter > LongestPause)
            {
                return response;
            }

            await Task.Delay(response.RetryAfter is { } asked && asked > pause ? asked : pause, _time, cancellationToken);
        }
    }

    /// <summary>Converts a response that is not a success to an exception.</summary>
    /// <param name="response">The response.</param>
    /// <param name="zone">The zone.</param>
    /// <param name="words">The provider's own message.</param>
    /// <param name="advice">What to do if the credentials are rejected.</param>
    public DnsProviderException Failure(DnsApiResponse response, string zone, string words, string advice)
    {
        var fault = (int)response.StatusCode switch
        {
            401 or 403 => DnsProviderFault.Unauthorized,
            404 => DnsProviderFault.ZoneNotFound,
            429 => DnsProviderFault.RateLimited,
            >= 500 => DnsProviderFault.Unavailable,
            _ => DnsProviderFault.Refused,
        };
        var next = fault switch
        {
            DnsProviderFault.Unauthorized => $" {advice}",
            DnsProviderFault.ZoneNotFound => " Check that the zone exists and that the credentials can see it.",
            DnsProviderFault.RateLimited when response.RetryAfter is { } wait => $" It asks to wait for {wait.TotalSeconds:0} s.",
            DnsProviderFault.RateLimited or DnsProviderFault.Unavailable => " KestrelAcme retries.",
            _ => "",
        };
        var reason = words.Length == 0 ? "no reason given" : response.Quote(words).TrimEnd('.');
        var message = $"{BaseUrl.Authority} responded with {(int)response.StatusCode} for zone {zone}: {reason}.{next}";
        return new DnsProviderException(fault, message) { RetryAfter = response.RetryAfter };
    }

    public void Dispose() => _client.Dispose();

    private static bool IsBusy(HttpStatusCode code)
        => code is HttpStatusCode.TooManyRequests
            or HttpStatusCode.BadGateway
            or HttpStatusCode.ServiceUnavailable
            or HttpStatusCode.GatewayTimeout;

    /// <summary>
    /// Sends a request without retries, for a change that depends on what
    /// was read before. The caller must read again before another attempt.
    /// </summary>
    /// <exception cref="DnsProviderException">The service could not be reached.</exception>
    public async Task<DnsApiResponse> SendOnceAsync(
        HttpMethod method, string path, Func<HttpContent>? content, string zone, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(Timeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content?.Invoke() };
        var secrets = SecretsOf(request);
        try
        {
            using var response = await _client.SendAsync(request, both.Token);
            var body = await response.Content.ReadAsByteArrayAsync(both.Token);
            return new DnsApiResponse(response.StatusCode, body, RetryAfterOf(response.Headers.RetryAfter), secrets);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Any exception: a proxy in between may respond with something that makes HttpClient throw anything.
            throw new DnsProviderException(
                DnsProviderFault.Unavailable,
                $"{BaseUrl.Authority} could not be reached for zone {zone}: {secrets.Quote(exception.Message)}",
                secrets.Cause(exception));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DnsProviderException(
                DnsProviderFault.Unavailable,
                $"{BaseUrl.Authority} did not respond within {Timeout.TotalSeconds:0} s for zone {zone}.");
        }
    }

    // All credentials are in these headers, either of all requests or of this one.
    private SentSecrets SecretsOf(HttpRequestMessage request)
    {
        var sent = _client.DefaultRequestHeaders.Concat(request.Headers).Concat(request.Content?.Headers.AsEnumerable() ?? []);
        return new SentSecrets(
            sent.Where(header => header.Key.StartsWith("X-", StringComparison.OrdinalIgnoreCase)).SelectMany(header => header.Value)
                .Append(_client.DefaultRequestHeaders.Authorization?.Parameter));
    }

    private TimeSpan? RetryAfterOf(RetryConditionHeaderValue? header)
    {
        var wait = header?.Delta ?? (header?.Date is { } date ? date - _time.GetUtcNow() : null);
        return wait is { } value && value > TimeSpan.Zero ? value < LongestWait ? value : LongestWait : null;
    }
}

/// <summary>A response of a provider's API.</summary>
internal sealed record DnsApiResponse(HttpStatusCode StatusCode, ReadOnlyMemory<byte> Body, TimeSpan? RetryAfter, SentSecrets Secrets)
{
    public bool IsSuccess => (int)StatusCode is >= 200 and < 300;

    /// <summary>Deserializes the body; <see langword="null"/> if it is not such JSON.</summary>
    public T? Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return Body.IsEmpty ? null : JsonSerializer.Deserialize(Body.Span, type);
        }
        catch (JsonException)
        {
            // An error page of a proxy in between. Its text is quoted.
            return null;
        }
    }

    /// <summary>The body as quotable text.</summary>
    public string Text => Quote(Encoding.UTF8.GetString(Body.Span));

    /// <summary>Returns part of the response as quotable text, without the credentials that were sent.</summary>
    public string Quote(string? part) => Secrets.Quote(part);

    public override string ToString() => $"HTTP {(int)StatusCode}, {Body.Length} bytes";
}

/// <summary>Validates the URLs of APIs.</summary>
internal static class UrlRule
{
    /// <returns>What is wrong with the URL, or <see langword="null"/>.</returns>
    public static string? Check(string text)
        => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "https" or "http" && url.Host.Length > 0
            && url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0
                ? null
                : "is not the URL of an API (https, without user, query or fragment)";

    /// <summary>Like <see cref="Check"/>, but allows plain HTTP only to this machine, because a token is sent.</summary>
    public static string? CheckSecure(string text)
        => Check(text)
            ?? (new Uri(text) is { Scheme: "http", IsLoopback: false }
                ? "is plain http, which would expose the secret that is sent"
                : null);
}
