using System.Net;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Tests.Scripted;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class RetryTests : ScriptedTest
{
    private static readonly NewOrderRequest Request = new() { Identifiers = [AcmeIdentifier.Dns("a.example")] };
    private static readonly Func<HttpResponseMessage> Ok = Answer.Json("""{"status":"valid"}""");

    [Fact]
    public async Task Post_ServerErrors_RepeatsWithBackoff()
    {
        Server.On("/account/1", Answer.Problem(500, "serverInternal"), Answer.Text(502, "text/html", "<h1>"), Answer.Lost(), Ok);
        var started = Time.GetUtcNow();

        await Run(Account.GetAsync(Cancellation));

        Assert.Equal(4, Server.To("/account/1").Count);
        Assert.Equal(TimeSpan.FromSeconds(0.5 + 1 + 2), Time.GetUtcNow() - started);
        Assert.Equal(4, Server.To("/account/1").Select(request => request.Nonce).Distinct().Count());
    }

    [Theory]
    [InlineData("5", 5)]
    [InlineData("Sat, 21 Nov 2026 12:00:20 GMT", 20)]
    public async Task Post_TooManyRequests_WaitsAsAsked(string retryAfter, int seconds)
    {
        Server.On(
            "/new-order",
            Answer.Problem(429, "rateLimited", "slow down", ("Retry-After", retryAfter)),
            Answer.Json("{}", 201, ("Location", "/order/1")));
        var started = Time.GetUtcNow();

        await Run(Account.CreateOrderAsync(Request, Cancellation));

        Assert.Equal(TimeSpan.FromSeconds(seconds), Time.GetUtcNow() - started);
    }

    [Fact]
    public async Task Post_RetryAfterTooLong_SurfacesAtOnce()
    {
        Server.On(
            "/new-order",
            Answer.Problem(
                429, "rateLimited", "too many certificates", ("Retry-After", "3600"), ("Link", "<https://help.test/>;rel=\"help\"")));

        var exception = await Assert.ThrowsAsync<AcmeRateLimitedException>(() => Account.CreateOrderAsync(Request, Cancellation));

        Assert.Equal(TimeSpan.FromHours(1), exception.RetryAfter);
        Assert.Equal("https://help.test/", exception.HelpUrl!.AbsoluteUri);
        Assert.Contains("rateLimited: too many certificates. It asks to wait 3600 s", exception.Message, StringComparison.Ordinal);
        Assert.Single(Server.To("/new-order"));
        Assert.False(exception.RequestMayHaveBeenProcessed);
    }

    [Fact]
    public async Task Post_ServiceUnavailableForAWhile_IsNoRateLimit()
    {
        Server.On("/account/1", Answer.Text(503, "text/plain", "busy", ("Retry-After", "120")));

        var exception = await Assert.ThrowsAsync<AcmeException>(() => Account.GetAsync(Cancellation));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, exception.StatusCode);
        Assert.Equal(TimeSpan.FromMinutes(2), exception.RetryAfter);
        Assert.DoesNotContain("rate", exception.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Post_ServiceUnavailableByALimit_IsRateLimited()
    {
        Server.On("/account/1", Answer.Problem(503, "rateLimited", "Service busy; retry later.", ("Retry-After", "120")));

        var exception = await Assert.ThrowsAsync<AcmeRateLimitedException>(() => Account.GetAsync(Cancellation));

        Assert.Equal(TimeSpan.FromMinutes(2), exception.RetryAfter);
    }

    [Fact]
    public async Task NewOrder_ServiceUnavailableForAWhile_WasNotProcessed()
    {
        Server.On("/new-order", Answer.Text(503, "text/plain", "busy", ("Retry-After", "120")));

        var exception = await Assert.ThrowsAsync<AcmeException>(() => Account.CreateOrderAsync(Request, Cancellation));

        Assert.False(exception.RequestMayHaveBeenProcessed);
        Assert.Single(Server.To("/new-order"));
    }

    [Fact]
    public async Task NewOrder_AnswerLost_IsNotRepeated()
    {
        Server.On("/new-order", Answer.Lost());

        var exception = await Assert.ThrowsAsync<AcmeUnreachableException>(() => Account.CreateOrderAsync(Request, Cancellation));

        Assert.True(exception.RequestMayHaveBeenProcessed);
        Assert.Single(Server.To("/new-order"));
    }

    [Fact]
    public async Task NewOrder_GatewayError_IsInDoubtAndNotRepeated()
    {
        Server.On("/new-order", Answer.Text(504, "text/html", "<h1>Gateway time-out</h1>"));

        var exception = await Assert.ThrowsAsync<AcmeException>(() => Account.CreateOrderAsync(Request, Cancellation));

        Assert.True(exception.RequestMayHaveBeenProcessed);
        Assert.Single(Server.To("/new-order"));
    }

    /// <summary>Gateways answer 503, too, if the connection to the server behind them ends after the request was sent.</summary>
    [Fact]
    public async Task NewOrder_GatewayUnavailable_IsInDoubtAndNotRepeated()
    {
        Server.On("/new-order", Answer.Text(503, "text/plain", "upstream connect error or disconnect/reset before headers"));

        var exception = await RunToFailure<AcmeException>(Account.CreateOrderAsync(Request, Cancellation));

        Assert.True(exception.RequestMayHaveBeenProcessed);
        Assert.Single(Server.To("/new-order"));
    }

    [Fact]
    public async Task NewOrder_NeverSent_IsRepeated()
    {
        Server.On("/new-order", Answer.Refused(), Answer.Json("{}", 201, ("Location", "/order/1")));

        await Run(Account.CreateOrderAsync(Request, Cancellation));

        Assert.Equal(2, Server.To("/new-order").Count);
    }

    [Fact]
    public async Task NewOrder_NonceFetchFails_IsRepeated()
    {
        Server.On("/new-nonce", Answer.Lost(), Answer.Text(502, "text/html", ""), Answer.Empty(200));
        Server.On("/new-order", Answer.Json("{}", 201, ("Location", "/order/1")));

        await Run(Account.CreateOrderAsync(Request, Cancellation));

        Assert.Single(Server.To("/new-order"));
    }

    [Fact]
    public async Task NewOrder_ServersOwn500_IsAnswered()
    {
        Server.On("/new-order", Answer.Problem(500, "serverInternal", "could not replace"));

        var exception = await Assert.ThrowsAsync<AcmeException>(() => Account.CreateOrderAsync(Request, Cancellation));

        Assert.True(exception.HasProblem(AcmeProblemTypes.ServerInternal));
        Assert.False(exception.RequestMayHaveBeenProcessed);
        Assert.Single(Server.To("/new-order"));
    }

    [Fact]
    public async Task Post_ConnectionsRefused_GivesUpInTheEnd()
    {
        Server.On("/account/1", Answer.Refused());

        var exception = await RunToFailure<AcmeUnreachableException>(Account.GetAsync(Cancellation));

        Assert.Equal(5, Server.To("/account/1").Count);
        Assert.Contains("https://acme.test/account/1 cannot be reached: Connection refused", exception.Message, StringComparison.Ordinal);
        Assert.False(exception.RequestMayHaveBeenProcessed);
    }

    [Fact]
    public async Task RetryBudget_OfOneRequest_SilenceIsNotRepeatedAndARefusalIs()
    {
        using var silent = new SilentServer();
        using var client = CreateClient(configure: o => o.HttpMessageHandler = silent);
        var started = Time.GetUtcNow();
        client.RetryBudget = TimeSpan.FromSeconds(30);

        await RunToFailure<AcmeUnreachableException>(client.GetDirectoryAsync(Cancellation));

        Assert.Equal(TimeSpan.FromSeconds(30), Time.GetUtcNow() - started);
        Assert.Equal(1, silent.Requests);

        Server.On("/directory", Answer.Refused());
        Client.RetryBudget = TimeSpan.FromSeconds(30);
        await RunToFailure<AcmeUnreachableException>(Client.GetDirectoryAsync(Cancellation));
        Assert.Equal(5, Server.To("/directory").Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => Client.RetryBudget = TimeSpan.FromSeconds(-1));
    }

    [Fact]
    public async Task Post_CancelledWhileWaiting_Ends()
    {
        Server.On("/account/1", Answer.Problem(500, "serverInternal"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var task = Account.GetAsync(stop.Token);
        await Time.WhenWaitingAsync(1, Cancellation);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
    }

    [Fact]
    public async Task RevokeCertificateAsync_RepeatedAndAlreadyRevoked_IsDone()
    {
        Server.On("/revoke", Answer.Lost(), Answer.Problem(400, "alreadyRevoked"));
        await Run(Done(Account.RevokeCertificateAsync(new byte[] { 1 }, null, Cancellation)));

        Server.On("/revoke", Answer.Problem(400, "alreadyRevoked"));
        var exception = await Assert.ThrowsAsync<AcmeException>(() => Account.RevokeCertificateAsync(new byte[] { 1 }, null, Cancellation));
        Assert.True(exception.HasProblem(AcmeProblemTypes.AlreadyRevoked));
    }

    private static async Task<bool> Done(Task task)
    {
        await task;
        return true;
    }
}
