using System.Globalization;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Tests.Scripted;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Orders;

/// <summary>Objects of CAs that write some members in their own way, and errors that mean "already done".</summary>
public sealed class OddDocumentTests : ScriptedTest
{
    private static readonly Uri OrderUrl = new("https://acme.test/order/1");
    private static readonly Uri ChallengeUrl = new("https://acme.test/chall/1");

    public static TheoryData<string> OddDates =>
    [
        "\"0001-01-01T00:00:00Z\"", "\"0001-01-01T00:00:00+14:00\"", "\"9999-12-31T23:59:59.9999999-12:00\"", "\"0000-00-00T00:00:00Z\"",
        "\"2026-11-26T25:61:00Z\"", "\"soon\"", "\"\"", "\"10:00\"", "\"2026-13-01\"", "1764150000", "-1", "1e400", "null", "true", "{}",
        "[\"2026-11-26T00:00:00Z\"]", "\"2026-11-26T10:00:00Z and so on and on and on and on and on and on and on\"",
    ];

    [Theory]
    [MemberData(nameof(OddDates))]
    public async Task GetOrderAsync_OddDates_AreNone(string date)
    {
        Server.On("/order/1", Answer.Json($$"""
            {"status":"pending","expires":{{date}},"notBefore":{{date}},"notAfter":{{date}},
            "authorizations":["/authz/1"],"finalize":"/finalize/1"}
            """));

        var order = await Account.GetOrderAsync(OrderUrl, Cancellation);

        Assert.Equal(OrderStatus.Pending, order.Status);
        Assert.Null(order.Expires);
        Assert.Null(order.NotBefore);
        Assert.Null(order.NotAfter);
        Assert.Single(order.AuthorizationUrls);
    }

    [Theory]
    [MemberData(nameof(OddDates))]
    public async Task GetAuthorizationAsync_OddDates_AreNone(string date)
    {
        Server.On("/authz/1", Answer.Json($$"""
            {"status":"valid","expires":{{date}},"identifier":{"type":"dns","value":"a.example"},
            "challenges":[{"type":"http-01","url":"/chall/1","status":"valid","validated":{{date}}}]}
            """));

        var authorization = await Account.GetAuthorizationAsync(new Uri("https://acme.test/authz/1"), Cancellation);

        Assert.Equal(AuthorizationStatus.Valid, authorization.Status);
        Assert.Null(authorization.Expires);
        Assert.Null(Assert.Single(authorization.Challenges).Validated);
    }

    [Theory]
    [MemberData(nameof(OddDates))]
    public async Task GetRenewalInfoAsync_OddDates_AreNoWindow(string date)
    {
        Server.On(
            "/renewal-info/aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE",
            Answer.Json($$$"""{"suggestedWindow":{"start":{{{date}}},"end":"2026-12-01T00:00:00Z"}}"""));

        await Assert.ThrowsAsync<AcmeMalformedResponseException>(
            () =>
                Client.GetRenewalInfoAsync(
                    Protocol.RenewalInformation.RenewalCertificateId.Create(Certificates.TestCertificates.Rfc9773), Cancellation));
    }

    [Theory]
    [InlineData("2026-11-26T10:00:00Z")]
    [InlineData("2026-11-26t10:00:00z")]
    [InlineData("2026-11-26T10:00:00.123456789Z")]
    [InlineData("2026-11-26T12:00:00+02:00")]
    [InlineData("2026-11-26 10:00:00Z")]
    public void Parse_UsualForms_AreRead(string text)
        => Assert.Equal(new DateTimeOffset(2026, 11, 26, 10, 0, 0, TimeSpan.Zero), WireTime.Parse(text)!.Value, TimeSpan.FromSeconds(1));

    [Fact]
    public async Task ClockSkew_DateAtTheEndOfTime_IsFarAhead()
    {
        Server.On("/account/1", Answer.Json("""{"status":"valid"}""", headers: ("Date", "Fri, 31 Dec 9999 23:59:59 GMT")));
        await Account.GetAsync(Cancellation);

        Time.Advance(TimeSpan.FromHours(1));

        Assert.True(Client.ClockSkew > TimeSpan.FromDays(365));
    }

    /// <summary>A cache keeps the Date of the origin, and says how old the response is (RFC 9111 section 5.1).</summary>
    [Fact]
    public async Task ClockSkew_ResponsesFromACache_CountsTheirAge()
    {
        var now = Time.GetUtcNow();
        var made = now.AddHours(-3).ToString("R", CultureInfo.InvariantCulture);
        Server.On("/directory", Answer.Json(
            """{"newNonce":"/new-nonce","newAccount":"/new-account","newOrder":"/new-order","renewalInfo":"/renewal-info"}""",
            headers: [("Date", made), ("Age", "10800")]));
        Server.On("/renewal-info/AQ.AQ", Answer.Json(
            """{"suggestedWindow":{"start":"2026-12-01T00:00:00Z","end":"2026-12-02T00:00:00Z"}}""",
            headers: [("Date", made), ("Age", "10800"), ("Retry-After", now.AddHours(1).ToString("R", CultureInfo.InvariantCulture))]));

        await Client.GetDirectoryAsync(Cancellation);
        Assert.Equal(TimeSpan.Zero, Client.ClockSkew);

        var info = await Client.GetRenewalInfoAsync(RenewalCertificateId.Create([1], [1]), Cancellation);
        Assert.Equal(TimeSpan.FromHours(1), info.RetryAfter);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"authorizations\":[]")]
    [InlineData(",\"authorizations\":null")]
    public async Task CreateOrderAsync_ReadyWithoutAuthorizations_IsReady(string member)
    {
        Server.On("/new-order", Answer.Json($$"""{"status":"ready","finalize":"/finalize/1"{{member}}}""", 201, ("Location", "/order/1")));

        var order = await Account.CreateOrderAsync(
            new NewOrderRequest { Identifiers = [Protocol.Identifiers.AcmeIdentifier.Dns("*.a.example")] }, Cancellation);

        Assert.Equal(OrderStatus.Ready, order.Status);
        Assert.Empty(order.AuthorizationUrls);
    }

    [Fact]
    public async Task GetAuthorizationAsync_OddChallenges_SpoilNoOther()
    {
        Server.On("/authz/1", Answer.Json("""
            {"status":"pending","identifier":{"type":"dns","value":"A.Example."},"challenges":[
              5, "x", {"type":7,"url":"/a"}, {"type":"odd-01","url":"/b","token":{"a":1}},
              {"type":"http-01","url":"/chall/1","status":"pending","token":"abc"}]}
            """));

        var authorization = await Account.GetAuthorizationAsync(new Uri("https://acme.test/authz/1"), Cancellation);

        Assert.Equal("http-01", Assert.Single(authorization.Challenges).Type);
        Assert.Equal("a.example", authorization.Identifier.Value);
    }

    [Fact]
    public async Task GetDirectoryAsync_LoneSurrogates_AreLeftOut()
    {
        Server.On("/directory", Answer.Json("""
            {"newNonce":"/n","newAccount":"/a","newOrder":"/o",
              "meta":{"profiles":{"\ud800":"x","good":"\udfff"},"issuerDomainNames":["\ud800","ca.test"],"accountHashPrefix":5}}
            """));

        var directory = await Client.GetDirectoryAsync(Cancellation);

        Assert.Equal(["good"], directory.Meta.Profiles.Keys);
        Assert.Equal(["", "ca.test"], directory.Meta.IssuerDomainNames);
        Assert.Null(directory.Meta.AccountHashPrefix);
    }

    [Theory]
    [InlineData("pending")]
    [InlineData("processing")]
    [InlineData("valid")]
    public async Task AcceptChallengeAsync_Conflict_IsUnderWay(string status)
    {
        Server.On(
            "/chall/1",
            Answer.Problem(409, "conflict", "is being validated"),
            Answer.Json($$"""{"type":"http-01","url":"/chall/1","status":"{{status}}"}"""));

        var challenge = await Account.AcceptChallengeAsync(ChallengeUrl, Cancellation);

        Assert.Equal("http-01", challenge.Type);
        Assert.Equal(["{}", ""], Server.To("/chall/1").Select(request => request.Payload));
    }

    [Fact]
    public async Task AcceptChallengeAsync_AnotherInstancePostedIt_IsUnderWay()
    {
        Server.On(
            "/chall/1",
            Answer.Problem(400, "malformed", "not pending"),
            Answer.Json("""{"type":"http-01","url":"/chall/1","status":"valid"}"""));

        Assert.Equal(ChallengeStatus.Valid, (await Account.AcceptChallengeAsync(ChallengeUrl, Cancellation)).Status);
    }

    [Fact]
    public async Task AcceptChallengeAsync_MalformedAndPending_Fails()
    {
        Server.On(
            "/chall/1",
            Answer.Problem(400, "malformed", "makes no sense"),
            Answer.Json("""{"type":"http-01","url":"/chall/1","status":"pending"}"""));

        var exception = await Assert.ThrowsAsync<AcmeException>(() => Account.AcceptChallengeAsync(ChallengeUrl, Cancellation));

        Assert.Contains("makes no sense", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DownloadAllChainsAsync_OptionalAlternatesAndAcceptedOnes_HurtNothing()
    {
        var pem = Certificates.TestCertificates.Pem(Certificates.TestCertificates.IssuedBy("Root"));
        Server.On(
            "/cert/1",
            Answer.Text(
                200,
                "application/pem-certificate-chain",
                pem,
                ("Link", "</mtc/1>;rel=\"acme-optional-alternate\", </cert/1/1>;rel=\"alternate\"")));
        Server.On("/cert/1/1", Answer.Empty(202, ("Retry-After", "600")));

        var chains = await Account.DownloadAllChainsAsync(new Uri("https://acme.test/cert/1"), Cancellation);

        Assert.Single(chains);
        Assert.Empty(Server.To("/mtc/1"));
        Assert.Single(Server.To("/cert/1/1"));
    }
}
