using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class WorkQueueTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly WorkQueue _queue = new();

    [Fact]
    public void Set_PlannedAgainOver_KeepsLittleMoreThanWhatCounts()
    {
        for (var round = 0; round < 200; round++)
        {
            for (var i = 0; i < 1000; i++)
            {
                _queue.Set($"c{i}", Work(Now.AddDays(30).AddMinutes(round)), Now);
            }
        }

        Assert.Equal(1000, _queue.Count);
        Assert.InRange(_queue.Kept, 1000, 3500);
    }

    [Fact]
    public void Set_DueWorkPlannedAgainOver_KeepsLittleMoreThanWhatCounts()
    {
        for (var round = 0; round < 200; round++)
        {
            for (var i = 0; i < 1000; i++)
            {
                _queue.Set($"c{i}", Work(Now.AddMinutes(round)), Now);
            }

            _queue.Advance(Now.AddMinutes(round));
        }

        Assert.InRange(_queue.Kept, 1000, 3500);
        var taken = 0;
        while (_queue.PeekDue(WorkLane.Renewals) is not null)
        {
            _queue.TakeDue(WorkLane.Renewals);
            taken++;
        }

        Assert.Equal(1000, taken);
    }

    [Fact]
    public void Set_SameWorkAgain_KeepsOne()
    {
        _queue.Set("a", Work(Now), Now);
        _queue.Set("a", Work(Now), Now);

        Assert.Equal(1, _queue.Kept);
    }

    [Fact]
    public void Set_DueAlreadyAndDueOnceMore_KeepsOne()
    {
        _queue.Set("a", new PlannedWork(Now, WorkLane.Maintenance, Now.AddDays(9)), Now);
        _queue.Advance(Now);
        _queue.Set("a", new PlannedWork(Now.AddSeconds(5), WorkLane.Maintenance, Now.AddDays(9)), Now.AddSeconds(5));

        Assert.Equal(1, _queue.Kept);
        Assert.Equal("a", _queue.PeekDue(WorkLane.Maintenance));
    }

    [Fact]
    public void Set_DueAlreadyAndPutOff_WaitsForItsNewTime()
    {
        _queue.Set("a", new PlannedWork(Now, WorkLane.Maintenance, Now.AddDays(9)), Now);
        _queue.Advance(Now);
        _queue.Set("a", new PlannedWork(Now.AddHours(1), WorkLane.Maintenance, Now.AddDays(9)), Now);

        Assert.Null(_queue.PeekDue(WorkLane.Maintenance));
        Assert.Equal(Now.AddHours(1), _queue.NextDue());
    }

    [Fact]
    public void PeekDue_FailedTheLastTimeOrExpired_WaitsApartInTheOrderOfItsTurn()
    {
        _queue.Set("lapsed", Work(Now) with { Urgency = Now.AddDays(-90), IsFailing = true }, Now);
        _queue.Set("honest", Work(Now) with { Urgency = Now.AddDays(30) }, Now);
        _queue.Set("repaired", Work(Now.AddSeconds(1)) with { Urgency = Now.AddDays(-200) }, Now);
        _queue.Advance(Now);
        _queue.Advance(Now.AddSeconds(1));

        Assert.Equal("honest", _queue.PeekDue(WorkLane.Renewals));
        Assert.Equal("lapsed", _queue.PeekDue(WorkLane.Renewals, suspect: true));
        Assert.Equal(Now.AddDays(-90), _queue.TakeDue(WorkLane.Renewals, suspect: true).Urgency);
        Assert.Equal("repaired", _queue.PeekDue(WorkLane.Renewals, suspect: true));
    }

    [Fact]
    public void DueSinceBefore_PlannedAgainWhileItWaits_CountsFromTheFirst()
    {
        _queue.Set("a", Work(Now.AddDays(-30)) with { Urgency = Now }, Now);
        _queue.Set("b", Work(Now.AddMinutes(5)), Now);
        _queue.Advance(Now);
        _queue.Advance(Now.AddMinutes(5));
        _queue.Set("a", Work(Now.AddMinutes(9)) with { Urgency = Now }, Now.AddMinutes(9));

        Assert.Equal((1, "a", Now), _queue.DueSinceBefore(WorkLane.Renewals, Now.AddMinutes(1)));
        Assert.Equal(2, _queue.DueSinceBefore(WorkLane.Renewals, Now.AddMinutes(6)).Count);
        Assert.Equal(0, _queue.DueSinceBefore(WorkLane.Renewals, Now).Count);
    }

    private static PlannedWork Work(DateTimeOffset due) => new(due, WorkLane.Renewals, due.AddDays(30));
}
