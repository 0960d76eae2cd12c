using System.Globalization;
using KestrelAcme.Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Faults;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Servers;

public sealed class PebbleFaultTests(SharedPebble pebble) : IClassFixture<SharedPebble>
{
    private const string RateLimited = """{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many certificates already"}""";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NewOrder_RateLimited_WaitsAsLongAsAsked(bool asDate)
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(pebble);
        var until = TimeProvider.System.GetUtcNow().AddMinutes(90);
        var fault = fixture.Proxy.Add(new Fault("/order-plz")
        {
            Status = 429,
            Body = RateLimited,
            RetryAfter = asDate ? until.ToString("r", CultureInfo.InvariantCulture) : "5400",
            Times = int.MaxValue,
        });
        await using var app = await fixture.StartAppAsync("app.test");

        var failure = await PebbleFixture.FailedAsync(app, CertificateState.Waiting, "app.test");

        Assert.Equal((FailureCause.Authority, 0), (failure.Cause, failure.Count));
        Assert.Contains("too many certificates already", failure.Message, StringComparison.Ordinal);
        Assert.InRange(failure.NextAttempt, until.AddSeconds(-2), until.AddMinutes(10));
        Assert.Equal(failure.NextAttempt, app.Certificates.Find("app.test")!.NextOrder);
        Assert.Equal(1, fault.Hits);
    }

    [Fact]
    public async Task NewOrder_BusyForAMoment_ObtainsInTheSameAttempt()
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(pebble);
        fixture.Proxy.Add(new Fault("/order-plz") { Status = 429, Body = RateLimited, RetryAfter = "1" });
        await using var app = await fixture.StartAppAsync("app.test");

        await app.ObtainedAsync("app.test");

        Assert.False(app.Log.Has("CertificateFailed"));
        Assert.Equal(2, fixture.NewOrders.Count());
    }

    [Theory]
    [InlineData("/nonce-plz")]
    [InlineData("/sign-me-up")]
    public async Task Unavailable_ForAMoment_ObtainsInTheSameAttempt(string path)
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(pebble);
        var fault = fixture.Proxy.Add(new Fault(path) { Status = 503 });
        await using var app = await fixture.StartAppAsync("app.test");

        await app.ObtainedAsync("app.test");

        Assert.Equal(1, fault.Hits);
        Assert.False(app.Log.Has("CertificateFailed"));
    }

    [Theory]
    [InlineData("/nonce-plz")]
    [InlineData("/sign-me-up")]
    public async Task Unavailable_ForLong_IsTheAuthoritysFailureAndLeavesItAlone(string path)
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(pebble);
        var fault = fixture.Proxy.Add(new Fault(path) { Status = 503, RetryAfter = "600", Times = int.MaxValue });
        var settings = fixture.Settings("one.test", "two.test");
        settings["AcmeHttps:MaxConcurrentOrders"] = "1";
        await using var app = await PebbleFixture.StartAppAsync(settings);

        var failure = await PebbleFixture.FailedAsync(app, CertificateState.Waiting, "one.test", "two.test");

        Assert.Equal((FailureCause.Authority, 0), (failure.Cause, failure.Count));
        Assert.InRange(failure.NextAttempt - failure.At, TimeSpan.FromSeconds(600), TimeSpan.FromSeconds(661));
        Assert.Equal(1, fault.Hits);
    }

    [Fact]
    public async Task NewOrder_AnswerLost_IsNotRepeatedBlindlyAndTheNextAttemptObtains()
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(pebble);
        fixture.Proxy.Add(new Fault("/order-plz") { Cut = CutPoint.AfterForwarding });
        await using var app = await fixture.StartAppAsync("app.test");

        await app.ObtainedAsync("app.test");

        var orders = fixture.NewOrders.ToList();
        Assert.Equal(2, orders.Count);
        Assert.True(orders[1].At - orders[0].At >= TimeSpan.FromSeconds(1), "The second order came in the same attempt.");
        Assert.Single(app.Log.Lines, l => l.Event.Name == "CertificateFailed");
    }

    [Fact]
    public async Task Finalize_AnswerLost_IsLookedUpNotRepeated()
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(pebble);
        fixture.Proxy.Add(new Fault("/finalize-order/") { Cut = CutPoint.AfterForwarding });
        await using var app = await fixture.StartAppAsync("app.test");

        await app.ObtainedAsync("app.test");

        Assert.Single(fixture.Proxy.Requests, r => r.Path.StartsWith("/finalize-order/", StringComparison.Ordinal));
        Assert.Single(fixture.NewOrders);
        Assert.False(app.Log.Has("CertificateFailed"));
    }

    [Fact]
    public async Task Finalize_RequestLost_IsSentAgain()
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(pebble);
        fixture.Proxy.Add(new Fault("/finalize-order/") { Cut = CutPoint.BeforeForwarding });
        await using var app = await fixture.StartAppAsync("app.test");

        await app.ObtainedAsync("app.test");

        Assert.Equal(2, fixture.Proxy.Requests.Count(r => r.Path.StartsWith("/finalize-order/", StringComparison.Ordinal)));
        Assert.Single(fixture.NewOrders);
        Assert.False(app.Log.Has("CertificateFailed"));
    }

    [Theory]
    [InlineData("/chalZ/", CutPoint.AfterForwarding)]
    [InlineData("/authZ/", CutPoint.InsideBody)]
    [InlineData("/certZ/", CutPoint.InsideBody)]
    [InlineData("/sign-me-up", CutPoint.AfterForwarding)]
    public async Task Answer_Lost_ObtainsInTheSameAttempt(string path, CutPoint cut)
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(pebble);
        var fault = fixture.Proxy.Add(new Fault(path) { Cut = cut });
        await using var app = await fixture.StartAppAsync("app.test");

        await app.ObtainedAsync("app.test");

        Assert.Equal(1, fault.Hits);
        Assert.Single(fixture.NewOrders);
        Assert.False(app.Log.Has("CertificateFailed"));
    }

    [Theory]
    [InlineData("<html>Welcome to the hotel</html>", "text/html")]
    [InlineData("{\"newNonce\":", "application/json")]
    [InlineData("{\"keys\":[]}", "application/json")]
    public async Task Directory_Garbage_IsToldAndTriedAgain(string body, string contentType)
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(pebble);
        fixture.Proxy.Add(new Fault("/dir") { Body = body, ContentType = contentType, Times = int.MaxValue });
        await using var app = await fixture.StartAppAsync("app.test");

        await Poll.UntilAsync(
            () => app.Log.Has("CertificateFailed"), "the failure is told", cancellationToken: TestContext.Current.CancellationToken);
        fixture.Proxy.Heal();
        await app.ObtainedAsync("app.test");

        Assert.All(
            app.Log.Lines.Where(l => l.Event.Name == "CertificateFailed"),
            l => Assert.Contains(fixture.Proxy.DirectoryUrl.ToString(), l.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(-2, "2 hours ahead of")]
    [InlineData(2, "2 hours behind")]
    public async Task Clock_HoursOff_OrdersNothingAndSaysSo(int hours, string direction)
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync(pebble);
        fixture.Proxy.Add(new Fault("/") { Date = TimeProvider.System.GetUtcNow().AddHours(hours), Times = int.MaxValue });
        await using var app = await fixture.StartAppAsync("app.test");

        var failure = await PebbleFixture.FailedAsync(app, CertificateState.Waiting, "app.test");

        Assert.Equal(FailureCause.Local, failure.Cause);
        Assert.Contains($"{direction} the clock of 127.0.0.1", failure.Message, StringComparison.Ordinal);
        Assert.Contains("set the clock", failure.Message, StringComparison.Ordinal);
        Assert.All(fixture.Proxy.Requests, r => Assert.Equal("GET", r.Method));
        Assert.True((await app.ConnectAsync("app.test", Cancelled)).IsSelfSigned);
    }

    [Fact]
    public async Task Clock_SetRight_ObtainsAtTheNextAttempt()
    {
        await using var fixture = await PebbleFixture.StartAsync(pebble);
        var clock = new WrongClock { Offset = TimeSpan.FromHours(-3) };
        await using var app = await PebbleFixture.StartAppAsync(fixture.Settings("app.test"), builder =>
        {
            QuickRetries.Configure(builder);
            builder.Services.AddSingleton<TimeProvider>(clock);
        });
        var failure = await PebbleFixture.FailedAsync(app, CertificateState.Waiting, "app.test");
        Assert.Contains("3 hours behind", failure.Message, StringComparison.Ordinal);

        clock.Offset = TimeSpan.Zero;
        await app.Certificates.RenewAsync("app.test", Cancelled);

        Assert.Equal("0 (ok)", (await fixture.ServedAsync(app, "app.test")).VerifyReturnCode);
    }
}
