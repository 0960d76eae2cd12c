using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Client;

/// <summary>A minimal ACME client that can also break every rule. One account; not thread-safe.</summary>
internal sealed class TestClient : IDisposable
{
    private readonly HttpClient _http;
    private string? _nonce;

    public TestClient(LocalAcmeAuthority authority, TestKey? key = null)
    {
        Key = key ?? TestKey.P256();
        DirectoryUrl = authority.DirectoryUrl.ToString();
        var root = authority.RootCertificate;
        _http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { root },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        });
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("test/1.0");
    }

    public HttpClient Http => _http;

    public TestKey Key { get; set; }

    public string DirectoryUrl { get; }

    /// <summary>The account's URL, once it is created.</summary>
    public string? Kid { get; set; }

    public async Task<string> UrlAsync(string name) => (await GetAsync(DirectoryUrl)).Text(name);

    public async Task<TestResponse> GetAsync(string url, HttpMethod? method = null) =>
        await ReadAsync(
            await _http.SendAsync(new HttpRequestMessage(method ?? HttpMethod.Get, url), TestContext.Current.CancellationToken));

    public async Task<string> FreshNonceAsync() =>
        (await GetAsync(await UrlAsync("newNonce"), HttpMethod.Head)).Nonce ?? throw new InvalidOperationException("No nonce.");

    /// <summary>A valid request header; <paramref name="useJwk"/> uses the key instead of the account.</summary>
    public async Task<JsonObject> HeaderAsync(string url, bool useJwk = false)
    {
        var header = new JsonObject { ["alg"] = Key.Algorithm, ["nonce"] = _nonce ?? await FreshNonceAsync(), ["url"] = url };
        _nonce = null;
        if (useJwk || Kid is null)
        {
            header["jwk"] = Key.Jwk();
        }
        else
        {
            header["kid"] = Kid;
        }

        return header;
    }

    /// <summary>Sends a signed request. An empty payload is POST-as-GET.</summary>
    public async Task<TestResponse> PostAsync(string url, string payload = "", bool useJwk = false, Action<JsonObject>? edit = null)
    {
        var header = await HeaderAsync(url, useJwk);
        edit?.Invoke(header);
        return await SendAsync(url, Key.Jws(header, payload).ToJsonString());
    }

    public Task<TestResponse> PostAsync(string url, JsonNode payload, bool useJwk = false) =>
        PostAsync(url, payload.ToJsonString(), useJwk);

    public async Task<TestResponse> SendAsync(string url, string body, string contentType = "application/jose+json")
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        var response = await ReadAsync(await _http.PostAsync(new Uri(url), content, TestContext.Current.CancellationToken));
        _nonce = response.Nonce;
        return response;
    }

    public async Task<TestResponse> RegisterAsync(JsonObject? payload = null)
    {
        var response = await PostAsync(await UrlAsync("newAccount"), payload ?? [], useJwk: true);
        Kid = response.Location ?? Kid;
        return response;
    }

    public void Dispose()
    {
        _http.Dispose();
        Key.Dispose();
    }

    private static async Task<TestResponse> ReadAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            return new TestResponse((int)response.StatusCode, response.Headers, response.Content.Headers.ContentType?.ToString(), body);
        }
    }
}
