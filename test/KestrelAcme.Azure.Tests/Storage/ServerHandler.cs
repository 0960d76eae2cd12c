using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Azure.Tests.Storage;

/// <summary>
/// What is between a client and its server: gives the server another clock (the Date of its answers), refuses connections, holds
/// requests back, answers in the server's place, and counts.
/// </summary>
internal sealed class ServerHandler(TimeProvider? serverTime = null, HttpMessageHandler? inner = null)
    : DelegatingHandler(inner ?? new SocketsHttpHandler())
{
    private readonly ConcurrentQueue<Held> _held = new();

    /// <summary>Whether the server cannot be reached.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Answers instead of the server; null leaves the request to it.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage?>? Answer { get; set; }

    /// <summary>Changes the URL of a request.</summary>
    public Func<Uri, Uri>? Redirect { get; set; }

    /// <summary>The method and path (with the query of a list) of each request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Holds the next request back whose method is given and whose path ends so.</summary>
    public Held Hold(HttpMethod method, string end)
    {
        var held = new Held(method, end);
        _held.Enqueue(held);
        return held;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Requests.Enqueue($"{request.Method} {request.RequestUri!.AbsolutePath}");
        foreach (var held in _held.Where(held => held.Takes(request)))
        {
            await held.WaitAsync(cancellationToken);
        }

        if (IsBroken)
        {
            throw new HttpRequestException(
                HttpRequestError.ConnectionError, "Connection refused", new SocketException((int)SocketError.ConnectionRefused));
        }

        request.RequestUri = Redirect?.Invoke(request.RequestUri) ?? request.RequestUri;
        var response = Answer?.Invoke(request) ?? await base.SendAsync(request, cancellationToken);
        if (serverTime is not null)
        {
            // The header holds whole seconds.
            response.Headers.Date = serverTime.GetUtcNow();
        }

        return response;
    }

    /// <summary>Makes the answer of Blob Storage to a request that fails.</summary>
    public static HttpResponseMessage Failure(int status, string? code, string? retryAfter = null)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status)
        {
            Content = new StringContent($"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{code} explained.</Message></Error>"),
        };
        response.Content.Headers.ContentType = new("application/xml");
        if (code is not null)
        {
            response.Headers.Add("x-ms-error-code", code);
        }

        if (retryAfter is not null)
        {
            response.Headers.Add("Retry-After", retryAfter);
        }

        return response;
    }

    /// <summary>A request that waits in front of the server.</summary>
    internal sealed class Held(HttpMethod method, string end)
    {
        private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _taken;

        /// <summary>Completes when the request is there.</summary>
        public Task Arrived => _arrived.Task;

        /// <summary>Lets it go on to the server.</summary>
        public void Release() => _released.TrySetResult();

        public bool Takes(HttpRequestMessage request)
            => request.Method == method && request.RequestUri!.AbsolutePath.EndsWith(end, StringComparison.Ordinal)
                && Interlocked.Exchange(ref _taken, 1) == 0;

        public Task WaitAsync(CancellationToken cancellationToken)
        {
            _arrived.TrySetResult();
            return _released.Task.WaitAsync(cancellationToken);
        }
    }
}
