using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Tests.Scripted;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class PollingTests : ScriptedTest
{
    private static readonly Uri OrderUrl = new("https://acme.test/order/1");
    private static readonly Func<HttpResponseMessage> Valid = Answer.Json("""{"status":"valid","certificate":"/cert/1"}""");

    [Fact]
    public async Task WaitForOrderAsync_NoRetryAfter_PollsFastThenSlower()
    {
        var processing = Answer.Json("""{"status":"processing"}""");
        Server.On("/order/1", processing, processing, processing, Valid);
        var started = Time.GetUtcNow();

        var order = await Run(Account.WaitForOrderAsync(OrderUrl, status => status == OrderStatus.Valid, null, Cancellation));

        Assert.Equal(OrderStatus.Valid, order.Status);
        Assert.Equal("https://acme.test/cert/1", order.CertificateUrl!.AbsoluteUri);
        // Timers count whole milliseconds.
        Assert.Equal(TimeSpan.FromMilliseconds(50 + 75 + 112), Time.GetUtcNow() - started);
    }

    [Theory]
    [InlineData("0", 1)]
    [InlineData("3", 3)]
    [InlineData("86400", 60)]
    [InlineData("Sat, 21 Nov 2026 12:00:10 GMT", 10)]
    public async Task WaitForOrderAsync_RetryAfter_WinsWithinBounds(string retryAfter, int seconds)
    {
        Server.On("/order/1", Answer.Json("""{"status":"processing"}""", 200, ("Retry-After", retryAfter)), Valid);
        var started = Time.GetUtcNow();

        await Run(Account.WaitForOrderAsync(OrderUrl, status => status == OrderStatus.Valid, null, Cancellation));

        Assert.Equal(TimeSpan.FromSeconds(seconds), Time.GetUtcNow() - started);
    }

    [Fact]
    public async Task WaitForOrderAsync_Invalid_EndsWithTheReason()
    {
        Server.On(
            "/order/1", Answer.Json("""{"status":"invalid","error":{"type":"urn:ietf:params:acme:error:caa","detail":"CAA forbids"}}"""));

        var order = await Account.WaitForOrderAsync(OrderUrl, status => status == OrderStatus.Valid, null, Cancellation);

        Assert.Equal(OrderStatus.Invalid, order.Status);
        Assert.True(order.Error!.Is(AcmeProblemTypes.Caa));
    }

    [Fact]
    public async Task WaitForOrderAsync_Stuck_TimesOutOnTime()
    {
        Server.On("/order/1", Answer.Json("""{"status":"brewing"}"""));
        var started = Time.GetUtcNow();

        var exception = await RunToFailure<AcmePollingTimeoutException>(
            Account.WaitForOrderAsync(OrderUrl, _ => false, new AcmePollingOptions { Timeout = TimeSpan.FromSeconds(30) }, Cancellation));

        Assert.Equal(TimeSpan.FromSeconds(30), Time.GetUtcNow() - started);
        Assert.Contains("https://acme.test/order/1 was still Unknown after 30 s", exception.Message, StringComparison.Ordinal);
        Assert.InRange(Server.To("/order/1").Count, 10, 25);
    }

    [Fact]
    public async Task WaitForAuthorizationAsync_BecomesInvalid_EndsWithTheChallengesError()
    {
        var url = new Uri("https://acme.test/authz/1");
        Server.On(
            "/authz/1",
            Answer.Json("""{"status":"pending","identifier":{"type":"dns","value":"a.example"}}"""),
            Answer.Json("""
                {"status":"invalid","identifier":{"type":"dns","value":"a.example"},"challenges":[
                  {"type":"http-01","url":"/chall/1","status":"invalid","token":"t",
                    "error":{"type":"urn:ietf:params:acme:error:connection","detail":"refused"}}]}
                """));

        var authorization = await Run(Account.WaitForAuthorizationAsync(url, null, Cancellation));

        Assert.Equal(AuthorizationStatus.Invalid, authorization.Status);
        Assert.Equal("connection: refused", authorization.Challenges[0].Error!.ToString());
    }
}
