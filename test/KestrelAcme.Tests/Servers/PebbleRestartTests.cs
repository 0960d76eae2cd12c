using KestrelAcme.Testing;
using KestrelAcme.Testing.Faults;
using KestrelAcme.Tests.EndToEnd;
using Xunit;

namespace KestrelAcme.Tests.Servers;

public sealed class PebbleRestartTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Renew_AuthorityForgotEverything_RegistersTheSameKeyAgain()
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync();
        await using var app = await fixture.StartAppAsync("app.test");
        await app.ObtainedAsync("app.test");
        await fixture.Pebble.RestartAsync(Cancelled);

        await app.Certificates.RenewAsync("app.test", Cancelled);

        var keys = fixture.Proxy.Requests.Where(r => r is { Path: "/sign-me-up", Status: 201 })
            .Select(r => r.DecodeProtected().GetProperty("jwk").ToString())
            .ToList();
        Assert.Equal(2, keys.Count);
        Assert.Equal(keys[0], keys[1]);
        Assert.True(app.Log.Has("AccountLost"));
        Assert.Equal("0 (ok)", (await fixture.ServedAsync(app, "app.test")).VerifyReturnCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_OrderLeftPending_IsFinishedWhereTheAuthorityKnowsIt(bool forgotten)
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync();
        var held = fixture.Proxy.Add(new Fault("/chalZ/") { HoldUntil = new TaskCompletionSource().Task });
        await using (var first = await fixture.StartAppAsync("app.test"))
        {
            await Poll.UntilAsync(() => held.Hits == 1, () => $"the challenge to be posted\n{first.Log}", cancellationToken: Cancelled);
            await first.StopAsync(Cancelled);
        }

        if (forgotten)
        {
            await fixture.Pebble.RestartAsync(Cancelled);
        }

        await using var second = await fixture.StartAppAsync("app.test");
        await second.ObtainedAsync("app.test");

        Assert.Equal(forgotten ? 2 : 1, fixture.NewOrders.Count(r => r.Status == 201));
        Assert.Equal("0 (ok)", (await fixture.ServedAsync(second, "app.test")).VerifyReturnCode);
    }

    [Fact]
    public async Task SecondStart_WithTheStore_AnswersAtOnceAndAsksNothing()
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync();
        string serial;
        await using (var first = await fixture.StartAppAsync("app.test"))
        {
            await first.ObtainedAsync("app.test");
            serial = (await first.ConnectAsync("app.test", Cancelled)).SerialNumber;
            await first.StopAsync(Cancelled);
        }

        var asked = fixture.Proxy.Requests.Count;
        await using var second = await fixture.StartAppAsync("app.test");
        var answer = await second.ConnectAsync("app.test", Cancelled);

        Assert.Equal(serial, answer.SerialNumber);
        Assert.All(fixture.Proxy.Requests.Skip(asked), r => Assert.Equal(("GET", "/dir"), (r.Method, r.Path)));

        // What the start asked for would be counted too.
        await second.Certificates.RenewAsync("app.test", Cancelled);
        Assert.Equal(2, fixture.NewOrders.Count());
        Assert.Single(fixture.Proxy.Requests, r => r.Path == "/sign-me-up");
    }

    [Fact]
    public async Task SecondStart_AuthorityDown_AnswersAtOnce()
    {
        await using var fixture = await PebbleFixture.StartAsync();
        string serial;
        await using (var first = await fixture.StartAppAsync("app.test"))
        {
            await first.ObtainedAsync("app.test");
            serial = (await first.ConnectAsync("app.test", Cancelled)).SerialNumber;
            await first.StopAsync(Cancelled);
        }

        await fixture.Pebble.StopAsync();
        await using var second = await fixture.StartAppAsync("app.test");

        Assert.Equal(serial, (await second.ConnectAsync("app.test", Cancelled)).SerialNumber);
    }
}
