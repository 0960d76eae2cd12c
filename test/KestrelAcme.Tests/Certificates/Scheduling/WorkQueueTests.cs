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
                _queue.Set($"c{i}", Work(Now.AddDays(30).AddMinutes(round)));
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
                _queue.Set($"c{i}", Work(Now.AddMinutes(round)));
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
        _queue.Set("a", Work(Now));
        _queue.Set("a", Work(Now));

        Assert.Equal(1, _queue.Kept);
    }

    private static PlannedWork Work(DateTimeOffset due) => new(due, WorkLane.Renewals, due);
}
