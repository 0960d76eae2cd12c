using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Azure.Api;

/// <summary>
/// Calls Resource Manager: with a token, bounded in time and size, no redirects, and a few more tries where it is busy or out of reach. Every call is safe to repeat. Safe for concurrent use.
/// </summary>
internal sealed class AzureApi : IDisposable
{
    private const string ApiVersion = "2018-05-01";
    private const int MaxAnswerLength = 4 * 1024 * 1024;
    private const int Attempts = 3;

    // DefaultAzureCredential tries one source after the other.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(366);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly HttpPipeline _pipeline;
    private readonly HttpPipelineTransport _transport;
    private readonly TimeProvider _time;
    private readonly IReadOnlyList<string?> _secrets;

    /// <param name="endpoint">The root of Resource Manager.</param>
    /// <param name="credential">As whom.</param>
    /// <param name="secrets">What the credential sends.</param>
    /// <param name="transport">How requests are sent; <see langword="null"/> for the ordinary way. It is disposed with this.</param>
    /// <param name="time">The clock.</param>
    public AzureApi(Uri endpoint, TokenCredential credential, IReadOnlyList<string?> secrets, HttpPipelineTransport? transport, TimeProvider time)
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
        options.Retry.MaxRetries = 0; // It would wait for as long as a server asks.
        options.Diagnostics.ApplicationId = "KestrelAcme";
        _pipeline = HttpPipelineBuilder.Build(options, new BearerTokenAuthenticationPolicy(credential, new Uri(endpoint, ".default").AbsoluteUri));
    }

    public Uri Endpoint { get; }

    /// <summary>The URL of a resource, or of a list.</summary>
    public Uri Url(string path) => new(Endpoint, $"{path}?api-version={ApiVersion}");

    /// <exception cref="DnsProviderException">The service could not be reached, or no token could be had.</exception>
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
            return new AzureResponse(message.Response.Status, await ReadAsync(message.Response, both.Token), RetryAfterOf(message.Response.Headers), SecretsOf(message.Request));
        }
        catch (AuthenticationFailedException exception)
        {
            throw AzureFailures.NoToken(exception, Endpoint, request.Zone, SecretsOf(message.Request));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var secrets = SecretsOf(message.Request);
            throw new DnsProviderException(
                DnsProviderFault.Unavailable, $"{Endpoint.Authority} could not be asked about zone {request.Zone}: {secrets.Quote(exception.Message)}", secrets.Cause(exception));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DnsProviderException(DnsProviderFault.Unavailable, $"{Endpoint.Authority} did not answer within {Timeout.TotalSeconds:0} s about zone {request.Zone}.");
        }
    }

    // With the token, which the pipeline puts into the request.
    private SentSecrets SecretsOf(Request request)
        => new(_secrets.Append(request.Headers.TryGetValue("Authorization", out var value) && value is not null ? value[(value.IndexOf(' ', StringComparison.Ordinal) + 1)..] : null));

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
                throw new IOException($"the answer is longer than {MaxAnswerLength} bytes");
            }

            body.Write(buffer, 0, length);
        }

        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    private TimeSpan? RetryAfterOf(ResponseHeaders headers)
    {
        var wait = !headers.TryGetValue("Retry-After", out var text) || text is null ? (TimeSpan?)null
            : int.TryParse(text, out var seconds) ? TimeSpan.FromSeconds(seconds)
            : DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var date) ? date - _time.GetUtcNow() : null;
        return wait is { } value && value > TimeSpan.Zero ? value < LongestWait ? value : LongestWait : null;
    }
}
