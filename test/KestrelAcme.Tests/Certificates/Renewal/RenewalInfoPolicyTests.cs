using KestrelAcme.Certificates.Model;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class RenewalInfoPolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Accept_NewWindow_ChoosesAnInstantInIt()
    {
        var record = Accept(previous: null, jitter: 0.25);

        Assert.Equal(Now.AddDays(30).AddHours(2), record.ChosenInstant);
    }

    [Fact]
    public void Accept_SameWindow_KeepsTheInstant()
    {
        var first = Accept(previous: null, jitter: 0.25);

        Assert.Equal(first.ChosenInstant, Accept(first, jitter: 0.9).ChosenInstant);
    }

    [Fact]
    public void Accept_MovedWindow_ChoosesAgain()
    {
        var first = Accept(previous: null, jitter: 0.25);
        var moved = RenewalInfoPolicy.Accept(first, Now.AddDays(1), Now.AddDays(2), null, null, Now, 0.5);

        Assert.Equal(Now.AddDays(1.5), moved.ChosenInstant);
    }

    [Theory]
    [InlineData(0, 60)]
    [InlineData(300, 300)]
    [InlineData(10_000_000, 86_400)]
    public void Accept_RetryAfter_IsClampedFromAMinuteToADay(int asked, int expected)
    {
        var record = RenewalInfoPolicy.Accept(null, Now, Now.AddDays(1), null, TimeSpan.FromSeconds(asked), Now, 0);

        Assert.Equal(Now.AddSeconds(expected), record.NextPoll);
    }

    [Fact]
    public void Accept_NoRetryAfter_AsksAgainInSixHours() => Assert.Equal(Now.AddHours(6), Accept(null, 0).NextPoll);

    [Fact]
    public void Reject_InvalidResponse_KeepsTheSuggestionAndAsksAgainInSixHours()
    {
        var first = Accept(null, 0.5);
        var rejected = RenewalInfoPolicy.Reject(first, Now.AddDays(1));

        Assert.Equal((first.ChosenInstant, Now.AddDays(1).AddHours(6)), (rejected.ChosenInstant, rejected.NextPoll));
    }

    [Fact]
    public void Fail_Again_DoublesUpToAnHour()
    {
        RenewalInfoRecord? record = null;
        var waits = new List<double>();
        for (var i = 0; i < 12; i++)
        {
            record = RenewalInfoPolicy.Fail(record, null, Now);
            waits.Add((record.NextPoll - Now).TotalMinutes);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60], waits);
    }

    [Fact]
    public void Fail_RetryAfter_Wins() => Assert.Equal(Now.AddHours(2), RenewalInfoPolicy.Fail(null, TimeSpan.FromHours(2), Now).NextPoll);

    private static RenewalInfoRecord Accept(RenewalInfoRecord? previous, double jitter)
        => RenewalInfoPolicy.Accept(previous, Now.AddDays(30), Now.AddDays(30).AddHours(8), null, null, Now, jitter);
}
