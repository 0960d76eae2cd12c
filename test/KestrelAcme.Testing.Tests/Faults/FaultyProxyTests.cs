using System.Net;
using System.Net.Http.Headers;
using KestrelAcme.Testing.Faults;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Testing.Tests.Faults;

public sealed class FaultyProxyTests : IAsyncLifetime
{
    private PebbleServer _pebble = null!;
    private FaultyProxy _proxy = null!;
    private HttpClient _client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _pebble = await PebbleServer.StartAsync(cancellationToken: Cancellation);
        _proxy = await FaultyProxy.StartAsync(_pebble, Cancellation);
        _client = _proxy.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _proxy.DisposeAsync();
        await _pebble.DisposeAsync();
    }

    [Fact]
    public async Task Get_NoFault_UrlsLeadBackThroughTheProxy()
    {
        var directory = await _client.GetStringAsync(_proxy.DirectoryUrl, Cancellation);

        Assert.Contains($"https://127.0.0.1:{_proxy.DirectoryUrl.Port}/", directory, StringComparison.Ordinal);
        var request = Assert.Single(_proxy.Requests);
        Assert.Equal(("GET", "/dir", 200), (request.Method, request.Path, request.Status));
    }

    [Fact]
    public async Task Head_Nonce_KeepsTheReplayNonce()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(_proxy.DirectoryUrl, "/nonce-plz"));
        using var response = await _client.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.NotEmpty(Assert.Single(response.Headers.GetValues("Replay-Nonce")));
    }

    [Fact]
    public async Task Status_SkipOneHitTwo_AnswersByItselfJustThen()
    {
        var fault = _proxy.Add(
            new Fault("/dir") { Status = 503, RetryAfter = "120", Skip = 1, Times = 2, Date = DateTimeOffset.UnixEpoch });

        List<(int Status, string? RetryAfter, int? Year)> answers = [];
        for (var i = 0; i < 4; i++)
        {
            using var response = await _client.GetAsync(_proxy.DirectoryUrl, Cancellation);
            answers.Add(
                ((int)response.StatusCode, response.Headers.RetryAfter?.ToString(), response.Headers.Date?.Year == 1970 ? 1970 : null));
        }

        Assert.Equal([(200, null, null), (503, "120", 1970), (503, "120", 1970), (200, null, null)], answers);
        Assert.Equal(2, fault.Hits);
    }

    [Theory]
    [InlineData(CutPoint.BeforeForwarding)]
    [InlineData(CutPoint.AfterForwarding)]
    [InlineData(CutPoint.InsideBody)]
    public async Task Cut_Anywhere_ClientSeesABrokenConnectionOnce(CutPoint cut)
    {
        _proxy.Add(new Fault("/dir") { Cut = cut });

        await Assert.ThrowsAsync<HttpRequestException>(() => _client.GetStringAsync(_proxy.DirectoryUrl, Cancellation));

        Assert.Null(Assert.Single(_proxy.Requests).Status);
        Assert.NotEmpty(await _client.GetStringAsync(_proxy.DirectoryUrl, Cancellation));
    }

    [Fact]
    public async Task Body_Garbage_ReplacesTheAnswer()
    {
        _proxy.Add(new Fault("/dir") { Body = "<html>", ContentType = "text/html" });

        Assert.Equal("<html>", await _client.GetStringAsync(_proxy.DirectoryUrl, Cancellation));
    }

    [Fact]
    public async Task Rewrite_ServersBody_IsChanged()
    {
        _proxy.Add(new Fault("/dir") { Rewrite = body => body.Replace("newOrder", "gone", StringComparison.Ordinal), RetryAfter = "7" });

        using var response = await _client.GetAsync(_proxy.DirectoryUrl, Cancellation);

        Assert.Contains("gone", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.Equal("7", response.Headers.RetryAfter?.ToString());
    }

    [Fact]
    public async Task HoldUntil_Released_AnswersThen()
    {
        var release = new TaskCompletionSource();
        var fault = _proxy.Add(new Fault("/dir") { HoldUntil = release.Task });

        var answer = _client.GetStringAsync(_proxy.DirectoryUrl, Cancellation);
        await Poll.UntilAsync(() => fault.Hits == 1, "the request to be held", cancellationToken: Cancellation);
        Assert.False(answer.IsCompleted);
        release.SetResult();

        Assert.NotEmpty(await answer);
    }

    [Fact]
    public async Task Post_ForgedJws_ReachesTheServerWithItsType()
    {
        using var content = new StringContent(
            """{"protected":"e30","payload":"","signature":""}""", new MediaTypeHeaderValue("application/jose+json"));

        using var response = await _client.PostAsync(new Uri(_proxy.DirectoryUrl, "/sign-me-up"), content, Cancellation);

        // 415 would mean that the content type was lost, 411 that the length was.
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("malformed", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        var request = Assert.Single(_proxy.Requests);
        Assert.Equal("{}", request.DecodeProtected().GetRawText());
        Assert.Null(request.DecodePayload());
    }

    [Fact]
    public async Task Get_ServerDown_IsABadGateway()
    {
        await _pebble.StopAsync();

        using var response = await _client.GetAsync(_proxy.DirectoryUrl, Cancellation);

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
    }
}
