using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;
using KestrelAcme.Protocol.Tests.Certificates;
using KestrelAcme.Protocol.Tests.Scripted;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Orders;

public sealed class OrderTests : ScriptedTest
{
    private const string Full = """
        {
          "status": "pending", "expires": "2026-11-22T12:00:00Z", "profile": "classic", "replaces": "a.b", "finalize": "finalize/1",
          "identifiers": [{"type":"dns","value":"B.example"}, {"type":"ip","value":"::1"}, {"type":"odd","value":"x"}, null],
          "authorizations": ["/authz/2", "https://acme.test/authz/1", null], "future": {}
        }
        """;

    [Fact]
    public async Task CreateOrderAsync_Everything_IsSentAndRead()
    {
        var replaced = RenewalCertificateId.Create(TestCertificates.Rfc9773);
        Server.On("/new-order", Answer.Json(Full, 201, ("Location", "/order/1"), ("Retry-After", "3")));

        var order = await Account.CreateOrderAsync(
            new NewOrderRequest
            {
                Identifiers = [AcmeIdentifier.Dns("b.example"), AcmeIdentifier.Ip(System.Net.IPAddress.IPv6Loopback)],
                Profile = "classic",
                Replaces = replaced,
                NotAfter = new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.FromHours(1)),
            },
            Cancellation);

        Assert.Equal(
            """{"identifiers":[{"type":"dns","value":"b.example"},{"type":"ip","value":"::1"}],"""
            + "\"notAfter\":\"2026-11-30T23:00:00Z\",\"profile\":\"classic\",\"replaces\":\"aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE\"}",
            Server.To("/new-order")[0].Payload);
        Assert.Equal(OrderStatus.Pending, order.Status);
        Assert.Equal(["b.example", "::1", "x"], order.Identifiers.Select(identifier => identifier.Value));
        Assert.Equal(["/authz/2", "/authz/1"], order.AuthorizationUrls.Select(url => url.AbsolutePath));
        Assert.Equal("https://acme.test/finalize/1", order.FinalizeUrl!.AbsoluteUri);
        Assert.Equal(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero), order.Expires);
        Assert.Equal(TimeSpan.FromSeconds(3), order.RetryAfter);
        Assert.Equal("a.b", order.Replaces);
    }

    [Fact]
    public async Task CreateOrderAsync_UnreadableAnswer_IsInDoubt()
    {
        Server.On("/new-order", Answer.Text(201, "application/json", "garbage", ("Location", "/order/1")));
        var garbage = await Assert.ThrowsAsync<AcmeMalformedResponseException>(Create);
        Server.On("/new-order", Answer.Json(Full, 201));
        var noLocation = await Assert.ThrowsAsync<AcmeMalformedResponseException>(Create);

        Assert.True(garbage.RequestMayHaveBeenProcessed);
        Assert.True(noLocation.RequestMayHaveBeenProcessed);
    }

    [Fact]
    public async Task FinalizeOrderAsync_ProcessingWithoutLocation_KeepsTheOrdersUrl()
    {
        Server.On("/finalize/1", Answer.Json("""{"status":"processing"}"""));

        var order = await Account.FinalizeOrderAsync(Ready, new byte[] { 1, 2, 3 }, Cancellation);

        Assert.Equal(Ready.Url, order.Url);
        Assert.Equal(OrderStatus.Processing, order.Status);
        Assert.Equal("""{"csr":"AQID"}""", Server.To("/finalize/1")[0].Payload);
    }

    [Fact]
    public async Task FinalizeOrderAsync_AnswerLost_IsNotRepeated()
    {
        Server.On("/finalize/1", Answer.Lost());

        var exception = await Assert.ThrowsAsync<AcmeUnreachableException>(
            () => Account.FinalizeOrderAsync(Ready, new byte[] { 1 }, Cancellation));

        Assert.True(exception.RequestMayHaveBeenProcessed);
        Assert.Single(Server.To("/finalize/1"));
    }

    [Fact]
    public async Task FinalizeOrderAsync_UnavailableThenNotReady_LooksAtTheOrder()
    {
        Server.On("/finalize/1", Answer.Text(503, "text/plain", "", ("Retry-After", "1")), Answer.Problem(403, "orderNotReady"));
        Server.On("/order/1", Answer.Json("""{"status":"processing"}"""));

        Assert.Equal(OrderStatus.Processing, (await Run(Account.FinalizeOrderAsync(Ready, new byte[] { 1 }, Cancellation))).Status);
    }

    [Fact]
    public async Task FinalizeOrderAsync_NotReady_Throws()
    {
        Server.On("/finalize/1", Answer.Problem(403, "orderNotReady"));

        var exception = await Assert.ThrowsAsync<AcmeException>(() => Account.FinalizeOrderAsync(Ready, new byte[] { 1 }, Cancellation));

        Assert.True(exception.HasProblem(AcmeProblemTypes.OrderNotReady));
    }

    [Fact]
    public async Task GetAuthorizationAsync_DraftsAndOddities_AreKeptOrLeftOut()
    {
        Server.On("/authz/1", Answer.Json("""
            {"status":"odd","identifier":{"type":"dns","value":"a.example"},"wildcard":true,"expires":"soon","challenges":[
              {"type":"dns-persist-01","url":"/chall/1","status":"pending","issuer-domain-names":["ca.test"]},
              {"type":"http-01","url":"/chall/2","status":"pending","token":"../../etc/passwd"},
              {"type":"http-01","url":"/chall/3","status":"processing","token":"abc-_"},
              {"status":"pending"}, null]}
            """));

        var authorization = await Account.GetAuthorizationAsync(new Uri("https://acme.test/authz/1"), Cancellation);

        Assert.True(authorization.Wildcard);
        Assert.Null(authorization.Expires);
        Assert.Equal([null, null, "abc-_"], authorization.Challenges.Select(challenge => challenge.Token));
        Assert.Equal(
            "ca.test", authorization.FindChallenge(AcmeChallengeTypes.DnsPersist01)!.OtherMembers["issuer-domain-names"][0].GetString());
        Assert.Null(authorization.FindChallenge(AcmeChallengeTypes.TlsAlpn01));
    }

    [Fact]
    public async Task AcceptChallengeAsync_RepeatedAfterLoss_LooksAtTheChallenge()
    {
        var url = new Uri("https://acme.test/chall/1");
        Server.On(
            "/chall/1", Answer.Lost(), Answer.Problem(400, "malformed", "not pending"), Answer.Json(
                """{"type":"http-01","url":"/chall/1","status":"processing"}"""));

        var challenge = await Run(Account.AcceptChallengeAsync(url, Cancellation));

        Assert.Equal(ChallengeStatus.Processing, challenge.Status);
        Assert.Equal(["{}", "{}", ""], Server.To("/chall/1").Select(request => request.Payload));
    }

    [Fact]
    public async Task GetOrderAsync_PlainHttpUrl_IsNotAsked() =>
        await Assert.ThrowsAsync<ArgumentException>(() => Account.GetOrderAsync(new Uri("http://acme.test/order/1"), Cancellation));

    private static Order Ready => new()
    {
        Url = new Uri("https://acme.test/order/1"),
        Status = OrderStatus.Ready,
        FinalizeUrl = new Uri("https://acme.test/finalize/1"),
    };

    private Task<Order> Create() =>
        Account.CreateOrderAsync(new NewOrderRequest { Identifiers = [AcmeIdentifier.Dns("b.example")] }, Cancellation);
}
