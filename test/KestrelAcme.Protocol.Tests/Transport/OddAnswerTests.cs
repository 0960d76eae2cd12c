using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

/// <summary>Whatever a server responds, the outcome is a result or an <see cref="AcmeException"/>.</summary>
public sealed class OddAnswerTests : IAsyncLifetime
{
    private static readonly string[] Templates =
    [
        Json(
            200,
            """
            {"newNonce":"/n","newAccount":"/a","newOrder":"/o","renewalInfo":"/r/",
            "meta":{"profiles":{"classic":"x","odd":5},"caaIdentities":["ca.test"],"externalAccountRequired":true}}
            """,
            "Replay-Nonce: abc"),
        Json(
            201,
            """
            {"status":"pending","expires":"2027-01-01T00:00:00Z","identifiers":[{"type":"dns","value":"a.test"}],
            "authorizations":["/z"],"finalize":"/f","certificate":"/c",
            "error":{"type":"urn:ietf:params:acme:error:caa","status":403,"subproblems":[{"identifier":{"type":"ip","value":"::1"}}]}}
            """,
            "Location: /o/1\r\nReplay-Nonce: abc\r\nLink: </o/2>;rel=\"alternate\", <http://127.0.0.1/>;rel=index"),
        Json(
            200,
            """
            {"status":"valid","identifier":{"type":"dns","value":"a.test"},"wildcard":false,
            "challenges":[{"type":"http-01","url":"/ch","token":"abc","validated":"2027-01-01T00:00:00Z","odd":[1]}]}
            """,
            "Retry-After: 5\r\nReplay-Nonce: abc"),
        Json(
            200,
            """{"suggestedWindow":{"start":"2026-11-20T00:00:00Z","end":"2026-11-21T00:00:00Z"},"explanationURL":"https://ca.test/why"}""",
            "Retry-After: Sat, 21 Nov 2026 12:00:10 GMT\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT"),
        Json(200, """{"orders":["/o/1","/o/2",5]}""", "Link: </orders?2>;rel=\"next\"\r\nReplay-Nonce: abc"),
        Json(
            400,
            """
            {"type":"urn:ietf:params:acme:error:badNonce","detail":"no","status":"400",
            "algorithms":["ES256",null],"instance":"https://ca.test/"}
            """,
            "Replay-Nonce: abc"),
        Json(429, """{"type":"urn:ietf:params:acme:error:rateLimited","detail":"slow","identifier":{"type":"dns","value":"a.test"}}""",
            "Retry-After: 999\r\nReplay-Nonce: abc"),
        "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/pem-certificate-chain\r\nReplay-Nonce: abc\r\nContent-Length: 89\r\n\r\n"
        + "-----BEGIN CERTIFICATE-----\nMIIBqzCCAVKgAwIBAgIUbpN7r5y9Ah1Sd\n-----END CERTIFICATE-----\n\n\n",
    ];

    private readonly AccountKey _key = AccountKey.Generate();
    private OddHttpServer _server = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _server = new OddHttpServer();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _key.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Directory_OddAnswers_EndInOurExceptions()
    {
        foreach (var answer in OddAnswers.Redirects)
        {
            await ReadAsync(answer, "directory");
        }
    }

    [Fact]
    public async Task EverythingRead_ChangedAtRandom_EndsInOurExceptions()
    {
        var operation = 0;
        foreach (var answer in OddAnswers.Mutations(seed: 20261126, count: 600, Templates))
        {
            await ReadAsync(answer, "directory", "renewal", "order", "authorization", "orders", "certificate", "account", "new-order",
                operation++);
        }
    }

    /// <summary>Half a surrogate pair is well-formed JSON, but not valid text.</summary>
    [Theory]
    [InlineData("""{"newNonce":"/n","newAccount":"/a","newOrder":"/o","meta":{"profiles":{"\ud800":"x"}}}""")]
    [InlineData("""{"newNonce":"/n","newAccount":"/a","newOrder":"/o","meta":{"profiles":{"x":"\udc00"}}}""")]
    [InlineData("""{"type":"x","status":"\ud800"}""")]
    public async Task Directory_HalfASurrogatePair_EndsInOurException(string json)
    {
        await ReadAsync(OddAnswers.Latin1(Json(200, json, "X: y")), "directory");
        await ReadAsync(OddAnswers.Latin1(Json(400, json, "X: y")), "directory");
    }

    private static string Json(int status, string json, string headers)
        => $"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n{headers}\r\n\r\n{json}";

    private async Task ReadAsync(byte[] answer, params object[] operations)
    {
        var operation = operations is [.. var names, int index] ? (string)names[index % names.Length] : (string)operations[0];
        _server.Answer = answer;
        var origin = new Uri($"http://127.0.0.1:{_server.EndPoint.Port}");
        using var client = new AcmeClient(
            new Uri(origin, operation == "directory" ? "/directory" : "/good"),
            new AcmeClientOptions { HttpMessageHandler = operation == "directory" ? null : new DirectoryBeside(),
                Retry = new() { MaxAttempts = 1, MaxBadNonceRetries = 1 }, RequestTimeout = TimeSpan.FromSeconds(5) });
        var account = client.OpenAccount(_key, new Uri(origin, "/account"));
        try
        {
            await (operation switch
            {
                "directory" => client.GetDirectoryAsync(Cancelled),
                "renewal" => client.GetRenewalInfoAsync(RenewalCertificateId.Create([1, 2, 3], [4]), Cancelled),
                "order" => account.GetOrderAsync(new Uri(origin, "/o/1"), Cancelled),
                "authorization" => account.GetAuthorizationAsync(new Uri(origin, "/z"), Cancelled),
                "orders" => account.GetOrdersAsync(Cancelled),
                "certificate" => account.DownloadCertificateAsync(new Uri(origin, "/c"), Cancelled),
                "account" => client.CreateAccountAsync(_key, new(), Cancelled),
                _ => (Task)account.CreateOrderAsync(new() { Identifiers = [Protocol.Identifiers.AcmeIdentifier.Dns("a.test")] }, Cancelled),
            });
        }
        catch (AcmeException exception)
        {
            Assert.DoesNotContain('\u001b', exception.Message);
        }
        catch (Exception exception) when (!Cancelled.IsCancellationRequested)
        {
            Assert.Fail(
                $"{operation} ended in {exception} for {System.Text.Encoding.Latin1.GetString(answer)[..Math.Min(answer.Length, 600)]}");
        }
    }

    /// <summary>A valid directory and nonces, and the odd server for the rest.</summary>
    private sealed class DirectoryBeside() : DelegatingHandler(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            => request.RequestUri!.AbsolutePath switch
        {
            "/good" => Task.FromResult(
                Scripted.Answer.Json("""{"newNonce":"/n","newAccount":"/a","newOrder":"/o","renewalInfo":"/r"}""")()),
            "/n" => Task.FromResult(Scripted.Answer.Empty(200, ("Replay-Nonce", "abc"))()),
            _ => base.SendAsync(request, cancellationToken),
        };
    }
}
