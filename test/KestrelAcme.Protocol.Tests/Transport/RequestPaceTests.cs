using KestrelAcme.Protocol.Tests.Scripted;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class RequestPaceTests : ScriptedTest
{
    [Fact]
    public async Task Wait_MoreThanTheBurst_GoOutAtTheRate()
    {
        var pace = new AcmeRequestPace(new Dictionary<AcmeRequestKind, AcmeRate> { [AcmeRequestKind.Other] = new(20, 5) }, Time);

        var waits = Enumerable.Range(0, 25).Select(_ => pace.WaitAsync(AcmeRequestKind.NewOrder, Cancellation)).ToList();

        Assert.Equal(5, waits.Count(wait => wait.IsCompletedSuccessfully));
        Time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(15, waits.Count(wait => wait.IsCompletedSuccessfully));
        Time.Advance(TimeSpan.FromMilliseconds(500));
        await Task.WhenAll(waits);
    }

    [Fact]
    public async Task Wait_KindsOfTheirOwn_DoNotShareARate()
    {
        var pace = new AcmeRequestPace(
            new Dictionary<AcmeRequestKind,
            AcmeRate> { [AcmeRequestKind.NewNonce] = new(1, 1), [AcmeRequestKind.Other] = new(1, 1) },
            Time);

        await pace.WaitAsync(AcmeRequestKind.NewNonce, Cancellation);
        await pace.WaitAsync(AcmeRequestKind.Other, Cancellation);

        Assert.False(pace.WaitAsync(AcmeRequestKind.NewAccount, Cancellation).IsCompleted);
    }

    [Fact]
    public async Task Wait_AfterALongPause_NoMoreThanTheBurstGoesOutAtOnce()
    {
        var pace = new AcmeRequestPace(new Dictionary<AcmeRequestKind, AcmeRate> { [AcmeRequestKind.Other] = new(10, 3) }, Time);
        await pace.WaitAsync(AcmeRequestKind.Other, Cancellation);
        Time.Advance(TimeSpan.FromHours(5));

        Assert.Equal(3, Enumerable.Range(0, 9).Count(_ => pace.WaitAsync(AcmeRequestKind.Other, Cancellation).IsCompleted));
    }

    [Fact]
    public async Task Client_WithAPace_SpacesItsRequestsAndOneWithoutDoesNot()
    {
        Server.On("/account/1", Answer.Json("""{"status":"valid"}"""));
        var pace = new AcmeRequestPace(new Dictionary<AcmeRequestKind, AcmeRate> { [AcmeRequestKind.Other] = new(20, 20) }, Time);
        using var client = CreateClient(configure: options => options.RequestPace = pace);
        var account = client.OpenAccount(Key, Account.Url);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Account.GetAsync(Cancellation)));
        var before = Server.To("/account/1").Count;

        // 100 requests for the account, plus the directory and the nonces, which share the rate.
        var all = Task.WhenAll(Enumerable.Range(0, 100).Select(_ => account.GetAsync(Cancellation)));
        var started = Time.GetTimestamp();
        await Time.RunUntilCompleteAsync(
            all, TimeSpan.FromMinutes(5), TimeSpan.FromMilliseconds(10), Cancellation);

        Assert.Equal(100, Server.To("/account/1").Count - before);
        Assert.InRange(Time.GetElapsedTime(started), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-1, 1)]
    [InlineData(1, 0)]
    public void Create_NoRate_IsRefused(double rate, int burst)
        => Assert.Throws<ArgumentOutOfRangeException>(
            () => new AcmeRequestPace(new Dictionary<AcmeRequestKind, AcmeRate> { [AcmeRequestKind.Other] = new(rate, burst) }));
}
