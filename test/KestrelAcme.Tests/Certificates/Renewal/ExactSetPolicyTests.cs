using KestrelAcme.Certificates.RateLimits;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Renewal;

public sealed class ExactSetPolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 8, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void NextAllowed_ThreeInAWeek_IsNow()
        => Assert.Null(ExactSetPolicy.NextAllowed([Now.AddDays(-1), Now.AddDays(-2), Now.AddDays(-3)], Now));

    [Fact]
    public void NextAllowed_FourInAWeek_IsWhenTheOldestIsAWeekOld()
        => Assert.Equal(
            Now.AddDays(3), ExactSetPolicy.NextAllowed([Now.AddDays(-1), Now.AddDays(-2), Now.AddDays(-3), Now.AddDays(-4)], Now));

    [Fact]
    public void NextAllowed_OlderOnes_AreNotCounted()
        => Assert.Null(
            ExactSetPolicy.NextAllowed([Now.AddDays(-1), Now.AddDays(-2), Now.AddDays(-3), Now.AddDays(-8), Now.AddDays(-9)], Now));

    [Fact]
    public void Add_Old_IsForgotten() => Assert.Equal([Now.AddDays(-1), Now], ExactSetPolicy.Add([Now.AddDays(-30), Now.AddDays(-1)], Now));
}
