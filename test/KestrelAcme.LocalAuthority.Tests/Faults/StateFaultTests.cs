using System.Security.Cryptography;
using System.Text.Json.Nodes;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.LocalAuthority.Tests.Client;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Faults;

public sealed class StateFaultTests
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(100, 20)]
    public async Task RejectedNoncePercent_Extremes_NoneOrAllAreRejected(int percent, int rejected)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.RejectedNoncePercent = percent;
        var count = 0;
        for (var i = 0; i < 20; i++)
        {
            var response = await fixture.Client.PostAsync(fixture.Client.Kid!);
            count += response.Problem == "badNonce" ? 1 : 0;
            Assert.NotNull(response.Nonce);
        }

        Assert.Equal(rejected, count);
    }

    [Fact]
    public async Task LateReady_Polls_ReadyComesAfterThatMany()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.LateReadyPolls = 2;
        var order = await fixture.Client.OrderAsync("app.test");
        await fixture.Client.ValidateAsync(order, fixture.Server);
        Assert.Equal("orderNotReady", (await fixture.Client.FinalizeAsync(order, TestFlow.Csr(_key, "app.test"))).Problem);
        Assert.Equal(["pending", "pending", "ready"], await StatusesAsync(fixture.Client, order.Location!, 3));
    }

    [Fact]
    public async Task Processing_Polls_ValidComesAfterThatManyWithRetryAfter()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.ProcessingPolls = 2;
        fixture.Authority.Faults.SetPollingRetryAfter(TimeSpan.FromSeconds(3));
        var order = await fixture.Client.ReadyOrderAsync(fixture.Server, "app.test");
        var finalized = await fixture.Client.FinalizeAsync(order, TestFlow.Csr(_key, "app.test"));
        Assert.Equal(("processing", TimeSpan.FromSeconds(3)), (finalized.Text("status"), finalized.Headers.RetryAfter?.Delta));
        Assert.Null(finalized.Json["certificate"]);
        Assert.Equal(["processing", "valid"], await StatusesAsync(fixture.Client, order.Location!, 2));
    }

    [Fact]
    public async Task ProcessingStuck_UntilCleared_OrderStaysProcessing()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.ProcessingStuck = true;
        var order = await fixture.Client.ReadyOrderAsync(fixture.Server, "app.test");
        await fixture.Client.FinalizeAsync(order, TestFlow.Csr(_key, "app.test"));
        Assert.Equal(["processing", "processing"], await StatusesAsync(fixture.Client, order.Location!, 2));
        fixture.Authority.Faults.ProcessingStuck = false;
        Assert.Equal(["valid"], await StatusesAsync(fixture.Client, order.Location!, 1));
    }

    [Fact]
    public async Task ValidationStuck_UntilCleared_ChallengeStaysProcessing()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.ValidationStuck = true;
        var order = await fixture.Client.OrderAsync("app.test");
        var url = order.Texts("authorizations")[0];
        var challenge = await fixture.Client.ChallengeAsync(url, "http-01");
        fixture.Server.Serve(challenge.Token, $"{challenge.Token}.{fixture.Client.Key.Thumbprint()}");
        Assert.Equal("processing", (await fixture.Client.PostAsync(challenge.Url, "{}")).Text("status"));
        Assert.Equal("pending", (await fixture.Client.PostAsync(url)).Text("status"));
        Assert.Empty(fixture.Server.Hits);

        fixture.Authority.Faults.ValidationStuck = false;

        Assert.Equal("valid", (await fixture.Client.SettledAsync(url)).Text("status"));
    }

    [Fact]
    public async Task FailValidation_OnceForAName_SecondOrderSucceeds()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.FailValidation("app.test", "caa", "CAA says no.", times: 1);
        var order = await fixture.Client.OrderAsync("app.test");
        var challenge = await fixture.Client.ChallengeAsync(order.Texts("authorizations")[0], "http-01");
        await fixture.Client.PostAsync(challenge.Url, "{}");
        Assert.Equal("invalid", (await fixture.Client.SettledAsync(order.Texts("authorizations")[0])).Text("status"));
        Assert.Equal("CAA says no.", (string?)(await fixture.Client.PostAsync(order.Location!)).Json["error"]!["detail"]);
        await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        Assert.Equal(["CAA says no.", null], fixture.Authority.Validations.Select(v => v.Problem));
    }

    [Fact]
    public async Task LoseAccounts_KeyKnownBefore_AccountDoesNotExistUntilRegisteredAgain()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var kid = fixture.Client.Kid;
        fixture.Authority.Faults.LoseAccounts();
        Assert.Equal("accountDoesNotExist", (await fixture.Client.OrderAsync("app.test")).Problem);
        Assert.Equal(201, (await fixture.Client.RegisterAsync()).Status);
        Assert.NotEqual(kid, fixture.Client.Kid);
        await fixture.Client.ObtainAsync(fixture.Server, "app.test");
    }

    [Fact]
    public async Task ReusePending_OrdersAndAuthorizations_SameUrls()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var first = await fixture.Client.OrderAsync("a.test", "b.test");
        Assert.NotEqual(first.Location, (await fixture.Client.OrderAsync("b.test", "a.test")).Location);

        fixture.Authority.Faults.ReusePendingAuthorizations = true;
        var second = await fixture.Client.OrderAsync("a.test");
        var third = await fixture.Client.OrderAsync("a.test");
        Assert.Equal(second.Texts("authorizations"), third.Texts("authorizations"));
        Assert.NotEqual(second.Location, third.Location);

        fixture.Authority.Faults.ReusePendingOrders = true;
        var fourth = await fixture.Client.OrderAsync("a.test");
        Assert.Contains(fourth.Location, new[] { second.Location, third.Location });
    }

    [Fact]
    public async Task ReuseValid_SecondOrder_IsReadyAtOnce()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        Assert.Equal("pending", (await fixture.Client.OrderAsync("app.test")).Text("status"));
        fixture.Authority.Faults.ReuseValidAuthorizations = true;
        Assert.Equal("ready", (await fixture.Client.OrderAsync("app.test")).Text("status"));
    }

    [Theory]
    [InlineData(WrongCertificate.OtherKey)]
    [InlineData(WrongCertificate.OtherNames)]
    [InlineData(WrongCertificate.Expired)]
    [InlineData(WrongCertificate.ChainMissing)]
    public async Task IssueWrongCertificate_Once_NextOneIsGood(WrongCertificate kind)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.IssueWrongCertificate(kind);
        var wrong = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        var good = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        Assert.Equal([kind], FaultsOf(wrong));
        Assert.Empty(FaultsOf(good));
    }

    [Fact]
    public async Task Requests_AfterAFlow_CountWhatHappened()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        var requests = fixture.Authority.Requests;
        Assert.Single(requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201, Payload: RequestPayload.EmptyObject });
        Assert.Single(requests, r => r is { Resource: ResourceKind.NewOrder, StatusCode: 201, Payload: RequestPayload.Content });
        Assert.Single(requests, r => r is { Resource: ResourceKind.Challenge, Payload: RequestPayload.EmptyObject });
        Assert.Single(requests, r => r is { Resource: ResourceKind.Certificate, Payload: RequestPayload.PostAsGet });
        Assert.EndsWith(
            "/" + requests.Single(r => r.Resource == ResourceKind.NewOrder).AccountId, fixture.Client.Kid, StringComparison.Ordinal);
        fixture.Authority.ClearRequests();
        Assert.Empty(fixture.Authority.Requests);
    }

    private static IEnumerable<WrongCertificate> FaultsOf(TestCertificate certificate)
    {
        if (!certificate.Leaf.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(certificate.Key.ExportSubjectPublicKeyInfo()))
        {
            yield return WrongCertificate.OtherKey;
        }

        if (!certificate.Leaf.MatchesHostname("app.test"))
        {
            yield return WrongCertificate.OtherNames;
        }

        if (certificate.Leaf.NotAfter.ToUniversalTime() < TimeProvider.System.GetUtcNow())
        {
            yield return WrongCertificate.Expired;
        }

        if (certificate.Chain.Count == 1)
        {
            yield return WrongCertificate.ChainMissing;
        }
    }

    private static async Task<List<string>> StatusesAsync(TestClient client, string url, int count)
    {
        var statuses = new List<string>();
        for (var i = 0; i < count; i++)
        {
            statuses.Add((await client.PostAsync(url)).Text("status"));
        }

        return statuses;
    }
}
