using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Renewal;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class FailurePolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Next_NameFails_Waits1_10_100MinutesThenADay()
    {
        CertificateFailure? failure = null;
        var waits = new List<double>();
        for (var i = 0; i < 6; i++)
        {
            failure = Next(failure, FailureCause.Name);
            waits.Add((failure.NextTry - Now).TotalMinutes);
        }

        Assert.Equal([1, 10, 100, 1440, 1440, 1440], waits);
        Assert.Equal(6, failure!.Count);
    }

    [Fact]
    public void Next_Jitter_LengthensByAtMostATenth()
    {
        var failure = FailurePolicy.Next(null, Report(FailureCause.Name), 0, RetrySchedule.Default, Now, jitter: 1);

        Assert.Equal(66, (failure.NextTry - Now).TotalSeconds, precision: 3);
    }

    [Fact]
    public void Next_AuthorityFails_LeavesTheNamesCountAlone()
    {
        var failure = Next(Next(null, FailureCause.Name), FailureCause.Authority);

        Assert.Equal(1, failure.Count);
    }

    [Fact]
    public void Next_AuthorityFailsOften_WaitsAtMostFifteenMinutes()
    {
        var failure = FailurePolicy.Next(null, Report(FailureCause.Authority), authorityFailures: 40, RetrySchedule.Default, Now, 0);

        Assert.Equal(Now.AddMinutes(15), failure.NextTry);
    }

    [Fact]
    public void Next_AuthorityFailsWhileTheNameWaitsADay_TheDayStands()
    {
        var day = Enumerable.Range(0, 4).Aggregate((CertificateFailure?)null, (f, _) => Next(f, FailureCause.Name));

        Assert.Equal(day!.NextTry, Next(day, FailureCause.Authority).NextTry);
    }

    [Theory]
    [InlineData(1, 60)]
    [InlineData(7200, 7200)]
    [InlineData(100_000_000, 604_800)]
    public void Next_RetryAfter_WinsClampedFromAMinuteToAWeek(int asked, int expected)
    {
        var report = Report(FailureCause.Authority) with { RetryAfter = TimeSpan.FromSeconds(asked) };

        Assert.Equal(Now.AddSeconds(expected), FailurePolicy.Next(null, report, 1, RetrySchedule.Default, Now, 0).NextTry);
    }

    [Fact]
    public void Next_RetryAfterOfDays_ComesBackSoonAfter()
    {
        var report = Report(FailureCause.Authority) with { RetryAfter = TimeSpan.FromDays(5) };

        Assert.Equal(Now.AddDays(5).AddMinutes(30), FailurePolicy.Next(null, report, 1, RetrySchedule.Default, Now, jitter: 1).NextTry);
    }

    [Fact]
    public void Next_NeedsAPerson_WaitsADay() => Assert.Equal(Now.AddDays(1), Next(null, FailureCause.Operator).NextTry);

    private static CertificateFailure Next(CertificateFailure? previous, FailureCause cause)
        => FailurePolicy.Next(previous, Report(cause), authorityFailures: 1, RetrySchedule.Default, Now, jitter: 0);

    private static FailureReport Report(FailureCause cause) => new(cause, null, "it failed");
}
