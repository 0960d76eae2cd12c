using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Upkeep;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class GracePolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void MayGo_FoundUnusedEachDay_AfterTwoWeeks()
    {
        UnusedMark? mark = null;
        var day = 0;
        for (; mark is null || !GracePolicy.MayGo(mark, Now.AddDays(day)); day++)
        {
            mark = GracePolicy.Mark(mark, Now.AddDays(day));
        }

        Assert.Equal(14, day);
    }

    [Fact]
    public void MayGo_ClockJumped_IsNotEnough()
    {
        var mark = GracePolicy.Mark(GracePolicy.Mark(known: null, Now), Now.AddYears(1));

        Assert.False(GracePolicy.MayGo(mark, Now.AddYears(1)));
    }

    [Fact]
    public void Mark_ManyStartsADay_CountOnce()
    {
        var mark = GracePolicy.Mark(known: null, Now);
        for (var i = 1; i < 100; i++)
        {
            mark = GracePolicy.Mark(mark, Now.AddMinutes(i));
        }

        Assert.Equal(1, mark.Rounds);
    }

    [Fact]
    public void Mark_NotedByAClockThatWasAhead_GoesOnFromNow()
    {
        var mark = GracePolicy.Mark(new UnusedMark(Now.AddYears(1), 3, Now.AddYears(1)), Now);

        Assert.Equal(new UnusedMark(Now, 3, Now), mark);
        Assert.Equal(4, GracePolicy.Mark(mark, Now.AddDays(1)).Rounds);
    }
}
