using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Tests.Scripted;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class NonceTests : ScriptedTest
{
    private const string AccountJson = """{"status":"valid"}""";

    [Fact]
    public async Task Post_SecondRequest_UsesTheNonceOfTheFirstAnswer()
    {
        Server.On("/account/1", Answer.Json(AccountJson, 200, ("Replay-Nonce", "second")), Answer.Json(AccountJson));

        await Account.GetAsync(Cancellation);
        await Account.GetAsync(Cancellation);

        Assert.Single(Server.To("/new-nonce"));
        Assert.Equal(HttpMethod.Head, Server.To("/new-nonce")[0].Method);
        Assert.Equal("second", Server.To("/account/1")[1].Nonce);
    }

    [Fact]
    public async Task Post_BadNonce_RepeatsWithTheErrorsNonceAtOnce()
    {
        Server.On(
            "/account/1",
            Answer.Problem(400, "badNonce", "no", ("Replay-Nonce", "fresh-1")),
            Answer.Problem(400, "badNonce", "no", ("Replay-Nonce", "fresh-2")),
            Answer.Json(AccountJson));

        await Account.GetAsync(Cancellation);

        Assert.Equal(["fresh-1", "fresh-2"], Server.To("/account/1").Skip(1).Select(request => request.Nonce));
        Assert.Single(Server.To("/new-nonce"));
        Assert.Equal(0, Time.ArmedTimers);
    }

    [Fact]
    public async Task Post_BadNonceAfterAnother_DropsTheOlderNonces()
    {
        Server.On("/a", Answer.Json(AccountJson, 200, ("Replay-Nonce", "old")));
        Server.On("/account/1", Answer.Problem(400, "badNonce", "no", ("Replay-Nonce", "not a nonce")), Answer.Json(AccountJson));
        Server.On("/new-nonce", Answer.Empty(200, ("Replay-Nonce", "first")), Answer.Empty(200, ("Replay-Nonce", "second")));
        await Account.FetchAsync("Reading", new Uri("https://acme.test/a"), Cancellation);

        await Account.GetAsync(Cancellation);

        Assert.Equal(["old", "second"], Server.To("/account/1").Select(request => request.Nonce));
    }

    [Fact]
    public async Task Post_BadNonceForever_PausesAfterTenAndGivesUpInTheEnd()
    {
        Server.On("/account/1", Answer.Problem(400, "badNonce"));
        var task = Account.GetAsync(Cancellation);
        await Time.WhenWaitingAsync(1, Cancellation);
        Assert.Equal(11, Server.To("/account/1").Count);

        var exception = await RunToFailure<AcmeException>(task);

        Assert.True(exception.HasProblem(AcmeProblemTypes.BadNonce));
        Assert.Equal(5 * 11, Server.To("/account/1").Count);
    }

    /// <summary>Each response takes 20 s: after the budget of two minutes, there is no further request.</summary>
    [Fact]
    public async Task Post_BadNonceThatIsSlow_StaysWithinTheBudget()
    {
        Server.On("/account/1", () =>
        {
            Time.Advance(TimeSpan.FromSeconds(20));
            return Answer.Problem(400, "badNonce")();
        });
        var started = Time.GetUtcNow();

        await RunToFailure<AcmeException>(Account.GetAsync(Cancellation));

        Assert.Equal(6, Server.To("/account/1").Count);
        Assert.Equal(TimeSpan.FromMinutes(2), Time.GetUtcNow() - started);
    }

    [Fact]
    public async Task Post_BadNonceOnNewOrder_IsRepeatedToo()
    {
        Server.On("/new-order", Answer.Problem(400, "badNonce"), Answer.Json("""{"status":"pending"}""", 201, ("Location", "/order/1")));

        var order = await Account.CreateOrderAsync(
            new() { Identifiers = [Protocol.Identifiers.AcmeIdentifier.Dns("a.example")] }, Cancellation);

        Assert.Equal("https://acme.test/order/1", order.Url.AbsoluteUri);
    }

    [Fact]
    public async Task Post_NoNonceToBeHad_IsMalformed()
    {
        Server.AddsNonces = false;

        var exception = await Assert.ThrowsAsync<AcmeMalformedResponseException>(() => Account.GetAsync(Cancellation));

        Assert.Contains("Replay-Nonce", exception.Message, StringComparison.Ordinal);
        Assert.Empty(Server.To("/account/1"));
    }

    [Fact]
    public async Task Post_Parallel_NoNonceIsUsedTwice()
    {
        Server.On("/account/1", Answer.Json(AccountJson));

        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Account.GetAsync(Cancellation)));

        Assert.Equal(40, Server.To("/account/1").Select(request => request.Nonce).Distinct().Count());
    }

    /// <summary>A CA may change the URLs of its directory at any time. The request was not sent, and no order is to blame.</summary>
    [Fact]
    public async Task Post_NonceUrlHasChanged_ReadsTheDirectoryAgain()
    {
        Server.On("/directory", DirectoryWith("/nonce-1"), DirectoryWith("/nonce-2"));
        Server.On("/nonce-2", Answer.Empty(200));
        Server.On("/account/1", Answer.Json("""{"status":"valid"}"""));

        await Account.GetAsync(Cancellation);

        Assert.Equal(2, Server.To("/directory").Count);
        Assert.Single(Server.To("/nonce-1"));
        Assert.Single(Server.To("/account/1"));
    }

    [Fact]
    public async Task Post_NonceUrlIsGoneAndStillInTheDirectory_Fails()
    {
        Server.On("/directory", DirectoryWith("/nonce-1"));

        var exception = await Assert.ThrowsAsync<AcmeException>(() => Account.GetAsync(Cancellation));

        Assert.Equal("/nonce-1", exception.Url!.AbsolutePath);
        Assert.Equal(2, Server.To("/directory").Count);
        Assert.Single(Server.To("/nonce-1"));
    }

    private static Func<HttpResponseMessage> DirectoryWith(string newNonce)
        => Answer.Json($$"""{"newNonce":"{{newNonce}}","newAccount":"/new-account","newOrder":"/new-order"}""");
}
