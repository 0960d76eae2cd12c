using System.Text.Json;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.LocalAuthority.Tests.Client;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Faults;

public sealed class AnswerFaultTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TooManyRequests_ForAResource_HitsItThatManyTimes(bool asDate)
    {
        var time = new FakeTimeProvider();
        await using var fixture = await AuthorityFixture.StartAsync(o => o.TimeProvider = time);
        fixture.Authority.Faults.Inject(ResourceKind.NewOrder, Fault.TooManyRequests(TimeSpan.FromSeconds(7), asDate), times: 2);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(200, (await fixture.Client.PostAsync(fixture.Client.Kid!)).Status);
            var limited = await fixture.Client.OrderAsync("app.test");
            Assert.Equal((429, "rateLimited"), (limited.Status, limited.Problem));
            Assert.Equal(asDate ? null : TimeSpan.FromSeconds(7), limited.Headers.RetryAfter?.Delta);
            Assert.Equal(asDate ? time.GetUtcNow().AddSeconds(7) : null, limited.Headers.RetryAfter?.Date);
        }

        Assert.Equal(201, (await fixture.Client.OrderAsync("app.test")).Status);
    }

    [Fact]
    public async Task Unavailable_AllResourcesUntilCleared_EveryRequestFails()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.Inject(null, Fault.Unavailable(), int.MaxValue);
        for (var i = 0; i < 3; i++)
        {
            var response = await fixture.Client.GetAsync(fixture.Client.DirectoryUrl);
            Assert.Equal((503, (object?)null), (response.Status, response.Headers.RetryAfter));
        }

        fixture.Authority.Faults.Clear();
        Assert.Equal(200, (await fixture.Client.GetAsync(fixture.Client.DirectoryUrl)).Status);
    }

    [Fact]
    public async Task Problem_AnyType_IsServed()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.NewOrder, Fault.Problem("userActionRequired", 403, "Read the new terms."));
        var response = await fixture.Client.OrderAsync("app.test");
        Assert.Equal((403, "userActionRequired", "Read the new terms."), (response.Status, response.Problem, response.Text("detail")));
    }

    [Fact]
    public async Task CutBefore_NewOrder_NothingWasProcessed()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.NewOrder, Fault.CutBefore);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => fixture.Client.OrderAsync("app.test"));
        Assert.Empty(await OrdersAsync(fixture));
    }

    [Fact]
    public async Task CutAfter_NewOrder_TheOrderIsThere()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.NewOrder, Fault.CutAfter);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => fixture.Client.OrderAsync("app.test"));
        Assert.Single(await OrdersAsync(fixture));
    }

    [Fact]
    public async Task CutInBody_NewOrder_TheBodyBreaksOff()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.NewOrder, Fault.CutInBody);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => fixture.Client.OrderAsync("app.test"));
        Assert.Single(await OrdersAsync(fixture));
    }

    [Fact]
    public async Task NoAnswer_ClientGivesUp_ConnectionEnds()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.Directory, Fault.NoAnswer);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var asking = fixture.Client.Http.GetAsync(fixture.Authority.DirectoryUrl, patience.Token);
        await Poll.UntilAsync(
            () => fixture.Authority.Requests[^1] is { Resource: ResourceKind.Directory, StatusCode: 0 },
            "the request has come",
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.False(asking.IsCompleted);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task BodyFaults_NewOrder_DamageTheAnswerOnly()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var faults = fixture.Authority.Faults;
        faults.Inject(ResourceKind.NewOrder, Fault.NotJson);
        faults.Inject(ResourceKind.NewOrder, Fault.Truncated);
        faults.Inject(ResourceKind.NewOrder, Fault.WrongContentType);
        faults.Inject(ResourceKind.NewOrder, Fault.MissingLocation);
        faults.Inject(ResourceKind.NewOrder, Fault.MissingNonce);

        await Assert.ThrowsAnyAsync<JsonException>(async () => _ = (await fixture.Client.OrderAsync("a.test")).Json);
        await Assert.ThrowsAnyAsync<JsonException>(async () => _ = (await fixture.Client.OrderAsync("a.test")).Json);
        Assert.Equal("text/html", (await fixture.Client.OrderAsync("a.test")).ContentType);
        Assert.Null((await fixture.Client.OrderAsync("a.test")).Location);
        Assert.Null((await fixture.Client.OrderAsync("a.test")).Nonce);
        Assert.Equal(5, (await OrdersAsync(fixture)).Count);
    }

    [Fact]
    public async Task EndlessBody_Directory_GoesOnWhileTheClientReads()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.Directory, Fault.EndlessBody);
        await using var stream = await fixture.Client.Http.GetStreamAsync(
            fixture.Authority.DirectoryUrl, TestContext.Current.CancellationToken);
        var buffer = new byte[1 << 20];
        for (var megabytes = 0; megabytes < 4; megabytes++)
        {
            await stream.ReadExactlyAsync(buffer, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task DateOffset_Set_DateHeaderIsWrong()
    {
        var time = new FakeTimeProvider();
        await using var fixture = await AuthorityFixture.StartAsync(o => o.TimeProvider = time);
        fixture.Authority.Faults.DateOffset = TimeSpan.FromHours(-3);
        Assert.Equal(time.GetUtcNow().AddHours(-3), (await fixture.Client.GetAsync(fixture.Client.DirectoryUrl)).Headers.Date);
    }

    private static async Task<IReadOnlyList<string>> OrdersAsync(AuthorityFixture fixture) =>
        (await fixture.Client.PostAsync(fixture.Client.Kid + "/orders")).Texts("orders");
}
