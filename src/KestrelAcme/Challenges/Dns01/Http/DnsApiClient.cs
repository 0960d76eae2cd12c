using System.Net;
using System.Net.Http.Headers;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Challenges.Dns01.Http;

/// <summary>
/// Calls the HTTP API of a DNS provider: bounded in time and size, no redirects (credentials stay where they were sent), and a few more tries where the service is busy or out of reach.
/// Every call of <see cref="SendAsync"/> must be safe to repeat. Safe for concurrent use.
/// </summary>
internal sealed class DnsApiClient : IDisposable
{
    private const int MaxAnswerLength = 1024 * 1024;
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
        // A path without a slash at its end would lose its last segment.
        BaseUrl = baseUrl.AbsoluteUri.EndsWith('/') ? baseUrl : new Uri(baseUrl.AbsoluteUri + "/");
        _time = time;
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.All,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectCallback = GuardedConnection.Anywhere(time).ConnectAsync,
            ConnectTimeout = ConnectTime,
        })
        {
            BaseAddress = BaseUrl,
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaxAnswerLength,
        };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("KestrelAcme", "1"));
        _client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    public Uri BaseUrl { get; }

    /// <summary>The headers of every request, for credentials.</summary>
    public HttpRequestHeaders Headers => _client.DefaultRequestHeaders;

    /// <summary>Sends a request.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">The path, from the base URL on.</param>
    /// <param name="content">Makes the body, once for each try.</param>
    /// <param name="zone">The zone, for messages.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="DnsProviderException">The service could not be reached, or asks for a longer pause than a call can wait for.</exception>
    public async Task<DnsApiResponse> SendAsync(HttpMethod method, string path, Func<HttpContent>? content, string zone, CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++, pause *= 2)
        {
            DnsApiResponse answer;
            try
            {
                answer = await SendOnceAsync(method, path, content, zone, cancellationToken);
            }
            catch (DnsProviderException) when (attempt < Attempts)
            {
                await Task.Delay(pause, _time, cancellationToken);
                continue;
            }

            if (!IsBusy(answer.StatusCode) || attempt == Attempts || answer.RetryAfter > LongestPause)
            {
                return answer;
            }

            await Task.Delay(answer.RetryAfter is { } asked && asked > pause ? asked : pause, _time, cancellationToken);
        }
    }

    /// <summary>Turns an answer that is no success into the error that it stands for.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="zone">The zone.</param>
    /// <param name="words">The provider's own words.</param>
    /// <param name="advice">What to do about refused credentials.</param>
    public DnsProviderException Failure(DnsApiResponse answer, string zone, string words, string advice)
    {
        var fault = (int)answer.StatusCode switch
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
            DnsProviderFault.ZoneNotFound => " Is the zone there, and do the credentials see it?",
            DnsProviderFault.RateLimited when answer.RetryAfter is { } wait => $" It asks to wait for {wait.TotalSeconds:0} s.",
            DnsProviderFault.RateLimited or DnsProviderFault.Unavailable => " It is tried again by itself.",
            _ => "",
        };
        var message = $"{BaseUrl.Authority} answered {(int)answer.StatusCode} for zone {zone}: {(words.Length == 0 ? "no reason given" : answer.Quote(words).TrimEnd('.'))}.{next}";
        return new DnsProviderException(fault, message) { RetryAfter = answer.RetryAfter };
    }

    public void Dispose() => _client.Dispose();

    private static bool IsBusy(HttpStatusCode code)
        => code is HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>Sends a request a single time: for a change that depends on what was read before, which must be read again before another try.</summary>
    /// <exception cref="DnsProviderException">The service could not be reached.</exception>
    public async Task<DnsApiResponse> SendOnceAsync(HttpMethod method, string path, Func<HttpContent>? content, string zone, CancellationToken cancellationToken)
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
            // Whatever it is: something in between may answer what makes HttpClient throw anything.
            throw new DnsProviderException(
                DnsProviderFault.Unavailable,
                $"{BaseUrl.Authority} could not be asked about zone {zone}: {secrets.Quote(exception.Message)}",
                secrets.Cause(exception));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DnsProviderException(DnsProviderFault.Unavailable, $"{BaseUrl.Authority} did not answer within {Timeout.TotalSeconds:0} s about zone {zone}.");
        }
    }

    // Providers send their credentials in these headers and nowhere else, for all requests or for one.
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
