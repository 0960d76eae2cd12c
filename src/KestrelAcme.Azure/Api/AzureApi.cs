using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Azure.Api;

/// <summary>
/// Sends requests to Resource Manager: with a token, limited in time and size, without following redirects, and with a few retries if the
/// service is busy or unreachable. Every request is safe to repeat. Thread-safe.
/// </summary>
internal sealed class AzureApi : IDisposable
{
    private const string ApiVersion = "2018-05-01";
    private const int MaxAnswerLength = 4 * 1024 * 1024;
    private const int Attempts = 3;

    // DefaultAzureCredential tries several sources in turn.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(366);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly HttpPipeline _pipeline;
    private readonly HttpPipelineTransport _transport;
    private readonly TimeProvider _time;
    private readonly IReadOnlyList<string?> _secrets;

    /// <param name="endpoint">The root of Resource Manager.</param>
    /// <param name="credential">The identity.</param>
    /// <param name="secrets">The secrets that the credential sends.</param>
    /// <param name="transport">How requests are sent; <see langword="null"/> for the default. Disposed together with this object.</param>
    /// <param name="time">The clock.</param>
    public AzureApi(
        Uri endpoint, TokenCredential credential, IReadOnlyList<string?> secrets, HttpPipelineTransport? transport, TimeProvider time)
    {
        Endpoint = endpoint;
        _time = time;
        _secrets = secrets;
        _transport = transport ?? new HttpClientTransport(new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectCallback = GuardedConnection.Anywhere(time).ConnectAsync,
        }));
        var options = new AzureApiOptions { Transport = _transport };
        options.Retry.MaxRetries = 0; // Azure.Core would wait for as long as a server asks.
        options.Diagnostics.ApplicationId = "KestrelAcme";
        var scope = new Uri(endpoint, ".default").AbsoluteUri;
        _pipeline = HttpPipelineBuilder.Build(options, new BearerTokenAuthenticationPolicy(credential, scope));
    }

    public Uri Endpoint { get; }

    /// <summary>Returns the URL of a resource or a list.</summary>
    public Uri Url(string path) => new(Endpoint, $"{path}?api-version={ApiVersion}");

    /// <exception cref="DnsProviderException">The service could not be reached, or no token could be obtained.</exception>
    public async Task<AzureResponse> SendAsync(AzureRequest request, CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++, pause *= 2)
        {
            AzureResponse answer;
            try
            {
                answer = await SendOnceAsync(request, cancellationToken);
            }
            catch (DnsProviderException exception) when (attempt < Attempts && exception.Fault == DnsProviderFault.Unavailable)
            {
                await Task.Delay(pause, _time, cancellationToken);
                continue;
            }

            if (!answer.IsBusy || attempt == Attempts || answer.RetryAfter > LongestPause)
            {
                return answer;
            }

            await Task.Delay(answer.RetryAfter is { } asked && asked > pause ? asked : pause, _time, cancellationToken);
        }
    }

    public void Dispose() => (_transport as IDisposable)?.Dispose();

    private async Task<AzureResponse> SendOnceAsync(AzureRequest request, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(Timeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using var message = CreateMessage(request);
        try
        {
            await _pipeline.SendAsync(message, both.Token);
            var body = await ReadAsync(message.Response, both.Token);
            var retryAfter = RetryAfterOf(message.Response.Headers);
            return new AzureResponse(message.Response.Status, body, retryAfter, SecretsOf(message.Request));
        }
        catch (AuthenticationFailedException exception)
        {
            throw AzureFailures.NoToken(exception, Endpoint, request.Zone, SecretsOf(message.Request));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var secrets = SecretsOf(message.Request);
            throw new DnsProviderException(
                DnsProviderFault.Unavailable,
                $"A request to {Endpoint.Authority} about zone {request.Zone} failed: {secrets.Quote(exception.Message)}",
                secrets.Cause(exception));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DnsProviderException(
                DnsProviderFault.Unavailable,
                $"{Endpoint.Authority} did not answer within {Timeout.TotalSeconds:0} s about zone {request.Zone}.");
        }
    }

    // Includes the token, which the pipeline adds to the request.
    private SentSecrets SecretsOf(Request request)
    {
        var header = request.Headers.TryGetValue("Authorization", out var value) ? value : null;
        return new SentSecrets(_secrets.Append(header?[(header.IndexOf(' ', StringComparison.Ordinal) + 1)..]));
    }

    private HttpMessage CreateMessage(AzureRequest request)
    {
        var message = _pipeline.CreateMessage();
        message.BufferResponse = false;
        message.Request.Method = request.Method;
        message.Request.Uri.Reset(request.Url);
        message.Request.Headers.SetValue("Accept", "application/json");
        if (request.Method != RequestMethod.Get)
        {
            message.Request.Headers.SetValue(request.Etag is null ? "If-None-Match" : "If-Match", request.Etag ?? "*");
        }

        if (request.Body is { } body)
        {
            message.Request.Content = RequestContent.Create(body);
            message.Request.Headers.SetValue("Content-Type", "application/json");
        }

        return message;
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(Response response, CancellationToken cancellationToken)
    {
        var body = new MemoryStream();
        if (response.ContentStream is not { } stream)
        {
            return default;
        }

        var buffer = new byte[16 * 1024];
        int length;
        while ((length = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + length > MaxAnswerLength)
            {
                throw new IOException($"the response is longer than {MaxAnswerLength} bytes");
            }

            body.Write(buffer, 0, length);
        }

        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    private TimeSpan? RetryAfterOf(ResponseHeaders headers)
    {
        var wait = !headers.TryGetValue("Retry-After", out var text) || text is null ? (TimeSpan?)null
            : int.TryParse(text, out var seconds) ? TimeSpan.FromSeconds(seconds)
            : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var date) ? date - _time.GetUtcNow() : null;
        return wait is { } value && value > TimeSpan.Zero ? value < LongestWait ? value : LongestWait : null;
    }
}

/// <summary>The options of an Azure client; there are none beyond the common ones.</summary>
internal sealed class AzureApiOptions : ClientOptions;

/// <summary>A request to Resource Manager.</summary>
/// <param name="Method">The method.</param>
/// <param name="Url">The whole URL.</param>
/// <param name="Zone">The zone that the request concerns, for messages.</param>
internal sealed record AzureRequest(RequestMethod Method, Uri Url, string Zone)
{
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>
    /// The version of the resource that the change is based on; <see langword="null"/> for a resource that must not
    /// exist yet.
    /// </summary>
    public string? Etag { get; init; }
}

/// <summary>A response of Resource Manager.</summary>
internal sealed record AzureResponse(int Status, ReadOnlyMemory<byte> Body, TimeSpan? RetryAfter, SentSecrets Secrets)
{
    private const int TooManyRequests = 429;

    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>Whether the same request may succeed soon.</summary>
    public bool IsBusy => Status is TooManyRequests or 502 or 503 or 504;

    /// <summary>Reads the body as JSON; <see langword="null"/> if it is something else, such as the error page of a proxy.</summary>
    public T? Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return Body.IsEmpty ? null : JsonSerializer.Deserialize(Body.Span, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The body as text that may be quoted.</summary>
    public string Text => Quote(Encoding.UTF8.GetString(Body.Span));

    /// <summary>Returns a part of the response as text that may be quoted, without the credentials that were sent.</summary>
    public string Quote(string? part) => Secrets.Quote(part);

    public override string ToString() => $"HTTP {Status}, {Body.Length} bytes";
}
