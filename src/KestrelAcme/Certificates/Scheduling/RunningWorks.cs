using KestrelAcme.Certificates.RateLimits;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// The running jobs, and whether there is room for another one. A slow job gives its slot to another one, so that names that hang do not
/// delay others; only a single slot is kept to the end. Not safe for concurrent use.
/// </summary>
internal sealed class RunningWorks
{
    // By then most orders are done, except those that wait for DNS.
    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(10);

    // The factor by which slow jobs may exceed the slots.
    private const int MostTimes = 4;

    private readonly Dictionary<string, Running> _works = new(StringComparer.Ordinal);

    /// <summary>Completes when all jobs that run now have ended.</summary>
    public Task WhenAll => Task.WhenAll([.. _works.Values.Select(w => w.Task)]);

    public bool Contains(string id) => _works.ContainsKey(id);

    public void Add(string id, PlannedWork work, bool isSuspect, DateTimeOffset now, Task task)
        => _works.Add(id, new Running(work.Lane, isSuspect, now, task));

    public void Remove(string id) => _works.Remove(id);

    /// <summary>Whether another job of a lane may run.</summary>
    public bool HasRoom(WorkLane lane, int places, DateTimeOffset now)
    {
        var (all, quick) = (0, 0);
        foreach (var running in Sharing(lane, places))
        {
            all++;
            quick += places > 1 && IsSlow(running, now) ? 0 : 1;
        }

        return quick < places && all < places * MostTimes;
    }

    /// <summary>
    /// Whether suspects have less than their share, which is half of the slots, and at least one. However slow they are, they get no more.
    /// </summary>
    public bool HasRoomForSuspects(WorkLane lane, int places) => Sharing(lane, places).Count(r => r.IsSuspect) < Math.Max(1, places / 2);

    /// <summary>Returns the time at which the next job gives its slot to another one.</summary>
    public DateTimeOffset? NextRoom(WorkLane lane, int places, DateTimeOffset now)
        => Sharing(lane, places).Where(r => !IsSlow(r, now)).Min(r => (DateTimeOffset?)(r.Since + Quick));

    /// <summary>Describes the jobs that have the slots of a lane, and since when.</summary>
    public string Describe(WorkLane lane)
    {
        const int most = 10;
        var holders = _works.Where(w => Group(w.Value.Lane, 1) == Group(lane, 1))
            .OrderBy(w => w.Value.Since)
            .Take(most)
            .Select(w => $"{w.Key} since {w.Value.Since:u}");
        return string.Join(", ", holders) is { Length: > 0 } text
            ? text
            : "nothing (they follow each other at the pace that the CA allows)";
    }

    private IEnumerable<Running> Sharing(WorkLane lane, int places)
        => _works.Values.Where(r => Group(r.Lane, places) == Group(lane, places));

    // If the clock went back, no job counts as slow. It ends some time.
    private static bool IsSlow(Running running, DateTimeOffset now) => now - running.Since >= Quick;

    // Renewals and new orders share their slots. A single slot is for all orders.
    private static WorkLane Group(WorkLane lane, int places) => lane switch
    {
        WorkLane.NewOrders => WorkLane.Renewals,
        WorkLane.OnDemand when places == 1 => WorkLane.Renewals,
        _ => lane,
    };

    private sealed record Running(WorkLane Lane, bool IsSuspect, DateTimeOffset Since, Task Task);
}
