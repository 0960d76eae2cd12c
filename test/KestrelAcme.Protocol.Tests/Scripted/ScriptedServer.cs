using System.Collections.Concurrent;

namespace KestrelAcme.Protocol.Tests.Scripted;

/// <summary>
/// An HTTP handler with scripted responses: each path has a queue of responses, and the last one repeats. It has a directory and nonces
/// from the start; each response to a HEAD or POST without a Replay-Nonce gets a new one.
/// </summary>
internal sealed class ScriptedServer : HttpMessageHandler
{
    public const string Origin = "https://acme.test";

    private readonly ConcurrentDictionary<string, Queue<Func<HttpResponseMessage>>> _script = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<RecordedRequest> _requests = new();
    private int _nonces;

    public ScriptedServer()
    {
        On("/directory", Answer.Json("""
            {
              "newNonce": "/new-nonce", "newAccount": "/new-account", "newOrder": "https://acme.test/new-order", "newAuthz": "/new-authz",
              "revokeCert": "/revoke", "keyChange": "/key-change", "renewalInfo": "/renewal-info/",
              "meta": { "termsOfService": "data:text/plain,terms", "website": "https://acme.test/", "caaIdentities": ["acme.test", null],
                        "externalAccountRequired": true, "profiles": { "classic": "The usual", "odd": 5 } },
              "unknown": [1]
            }
            """));
        On("/new-nonce", Answer.Empty(200));
        On("/new-account", Answer.Json("""{"status":"valid"}""", 201, ("Location", "/account/1")));
    }

    public IReadOnlyList<RecordedRequest> Requests => [.. _requests];

    public bool AddsNonces { get; set; } = true;

    public IReadOnlyList<RecordedRequest> To(string path) => [.. _requests.Where(request => request.Path == path)];

    public void On(string path, params Func<HttpResponseMessage>[] answers) =>
        _script[path] = new Queue<Func<HttpResponseMessage>>(answers);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
        _requests.Enqueue(new RecordedRequest(
            request.Method,
            request.RequestUri!,
            request.Content?.Headers.ContentType?.ToString(),
            request.Headers.UserAgent.ToString(),
            body));
        if (!_script.TryGetValue(request.RequestUri!.AbsolutePath, out var answers))
        {
            return Answer.Problem(404, "malformed", "not in the script")();
        }

        Func<HttpResponseMessage> answer;
        lock (answers)
        {
            answer = answers.Count > 1 ? answers.Dequeue() : answers.Peek();
        }

        var response = answer();
        if (AddsNonces && request.Method != HttpMethod.Get && !response.Headers.Contains("Replay-Nonce"))
        {
            response.Headers.Add("Replay-Nonce", $"nonce-{Interlocked.Increment(ref _nonces)}");
        }

        return response;
    }
}
