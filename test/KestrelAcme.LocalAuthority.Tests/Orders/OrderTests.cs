using System.Text.Json.Nodes;
using KestrelAcme.LocalAuthority.Tests.Client;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Orders;

public sealed class OrderTests
{
    [Theory]
    [InlineData("dns", "bad_name.test", "rejectedIdentifier")]
    [InlineData("dns", "-a.test", "rejectedIdentifier")]
    [InlineData("dns", "a..test", "rejectedIdentifier")]
    [InlineData("dns", "a.test.", "rejectedIdentifier")]
    [InlineData("dns", "*.*.test", "rejectedIdentifier")]
    [InlineData("dns", "a.*.test", "rejectedIdentifier")]
    [InlineData("dns", "http://a.test", "rejectedIdentifier")]
    [InlineData("dns", "münchen.test", "rejectedIdentifier")]
    [InlineData("dns", "127.0.0.1", "rejectedIdentifier")]
    [InlineData("dns", "", "rejectedIdentifier")]
    [InlineData("ip", "127.1", "malformed")]
    [InlineData("ip", "::0:1", "malformed")]
    [InlineData("ip", "app.test", "malformed")]
    [InlineData("email", "a@b.test", "unsupportedIdentifier")]
    public async Task NewOrder_IdentifierBad_IsRefused(string type, string value, string problem)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var identifiers = new JsonArray(new JsonObject { ["type"] = type, ["value"] = value });
        var response = await NewOrderAsync(fixture, new JsonObject { ["identifiers"] = identifiers });
        Assert.Equal((400, problem), (response.Status, response.Problem));
    }

    [Fact]
    public async Task NewOrder_SomeNamesBad_SubproblemsNameThem()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.RejectIdentifier("no.test", "Not this one.");
        var response = await fixture.Client.OrderAsync("good.test", "no.test", "b_d.test");
        var named = response.Json["subproblems"]!.AsArray().Select(p => (string?)p!["identifier"]!["value"]);
        Assert.Equal("rejectedIdentifier", response.Problem);
        Assert.Equal(["no.test", "b_d.test"], named);
    }

    [Theory]
    [InlineData("{}", "malformed")]
    [InlineData("""{"identifiers":[]}""", "malformed")]
    [InlineData("""{"identifiers":[null]}""", "malformed")]
    [InlineData("""{"identifiers":[{"type":"dns"}]}""", "malformed")]
    [InlineData("""{"identifiers":[{"type":"dns","value":"a.test"}],"notAfter":"2030-01-01T00:00:00Z"}""", "malformed")]
    [InlineData("""{"identifiers":[{"type":"dns","value":"a.test"}],"profile":"none"}""", "invalidProfile")]
    [InlineData("[]", "malformed")]
    [InlineData("not json", "malformed")]
    public async Task NewOrder_PayloadBad_IsRefused(string payload, string problem)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var response = await fixture.Client.PostAsync(await fixture.Client.UrlAsync("newOrder"), payload);
        Assert.Equal((400, problem), (response.Status, response.Problem));
    }

    [Fact]
    public async Task NewOrder_MoreNamesThanAllowed_IsRefused()
    {
        await using var fixture = await AuthorityFixture.StartAsync(o => o.MaxIdentifiers = 2);
        Assert.Equal("malformed", (await fixture.Client.OrderAsync("a.test", "b.test", "c.test")).Problem);
    }

    [Fact]
    public async Task NewOrder_Good_HasEverythingRfc8555AsksFor()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.OrderAsync("App.test", "127.0.0.1");
        Assert.Equal((201, "pending"), (order.Status, order.Text("status")));
        Assert.Equal(2, order.Texts("authorizations").Count);
        Assert.Equal("app.test", (string?)order.Json["identifiers"]![0]!["value"]);
        Assert.Null(order.Json["certificate"]);
        Assert.True(DateTimeOffset.Parse(order.Text("expires"), null) > TimeProvider.System.GetUtcNow());
        Assert.StartsWith("https://", order.Text("finalize"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Order_OfSomebodyElse_IsUnauthorized()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.OrderAsync("app.test");
        using var other = new TestClient(fixture.Authority);
        await other.RegisterAsync();
        string[] urls = [order.Location!, order.Texts("authorizations")[0]];
        foreach (var url in urls)
        {
            Assert.Equal("unauthorized", (await other.PostAsync(url)).Problem);
        }
    }

    [Fact]
    public async Task Order_Expired_IsGone()
    {
        var time = new FakeTimeProvider();
        await using var fixture = await AuthorityFixture.StartAsync(o => o.TimeProvider = time);
        var order = await fixture.Client.OrderAsync("app.test");
        time.Advance(TimeSpan.FromDays(2));
        Assert.Equal(404, (await fixture.Client.PostAsync(order.Location!)).Status);
    }

    [Fact]
    public async Task Order_AuthorizationDeactivated_IsInvalid()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.OrderAsync("app.test");
        var authorization = await fixture.Client.PostAsync(order.Texts("authorizations")[0], new JsonObject { ["status"] = "deactivated" });
        Assert.Equal("deactivated", authorization.Text("status"));
        Assert.Equal("invalid", (await fixture.Client.PostAsync(order.Location!)).Text("status"));
    }

    [Fact]
    public async Task Order_TwoNamesFail_ErrorHasASubproblemForEach()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.FailValidation("a.test", "caa", "CAA forbids it.");
        fixture.Authority.Faults.FailValidation("b.test", "dns", "No such name.");
        var order = await fixture.Client.OrderAsync("a.test", "b.test");
        foreach (var url in order.Texts("authorizations"))
        {
            var challenge = await fixture.Client.ChallengeAsync(url, "http-01");
            await fixture.Client.PostAsync(challenge.Url, "{}");
            await fixture.Client.SettledAsync(url);
        }

        var failed = await fixture.Client.PostAsync(order.Location!);

        Assert.Equal("invalid", failed.Text("status"));
        var subproblems = failed.Json["error"]!["subproblems"]!.AsArray();
        Assert.Equal(["urn:ietf:params:acme:error:caa", "urn:ietf:params:acme:error:dns"], subproblems.Select(p => (string?)p!["type"]));
    }

    private static async Task<TestResponse> NewOrderAsync(AuthorityFixture fixture, JsonObject payload) =>
        await fixture.Client.PostAsync(await fixture.Client.UrlAsync("newOrder"), payload);
}
