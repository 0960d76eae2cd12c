namespace KestrelAcme.Certificates.Scheduling;

/// <summary>The works that run, and whether there is room for one more. Not safe for concurrent use.</summary>
internal sealed class RunningWorks
{
    private readonly Dictionary<string, Running> _works = new(StringComparer.Ordinal);

    /// <summary>Ends when all that runs now has ended.</summary>
    public Task WhenAll => Task.WhenAll([.. _works.Values.Select(w => w.Task)]);

    public bool Contains(string id) => _works.ContainsKey(id);

    public void Add(string id, PlannedWork work, DateTimeOffset now, Task task) => _works.Add(id, new Running(work, now, task));

    public void Remove(string id) => _works.Remove(id);

    /// <summary>Whether one more work may run. Those that failed the last time have half of the places, and one where there are fewer.</summary>
    public bool HasRoom(WorkLane lane, bool failing, int places)
    {
        var (all, failed) = (0, 0);
        foreach (var running in _works.Values)
        {
            if (SharePlaces(running.Work.Lane, lane))
            {
                all++;
                failed += running.Work.IsFailing ? 1 : 0;
            }
        }

        return all < places && (!failing || failed < Math.Max(1, places / 2));
    }

    /// <summary>Tells what has the places of a lane, and since when.</summary>
    public string Describe(WorkLane lane)
    {
        const int most = 10;
        var holders = _works.Where(w => SharePlaces(w.Value.Work.Lane, lane)).OrderBy(w => w.Value.Since).Take(most).Select(w => $"{w.Key} since {w.Value.Since:u}");
        return string.Join(", ", holders) is { Length: > 0 } text ? text : "nothing (they follow each other at the pace that the CA allows)";
    }

    // Orders share their places, whether they are renewals or not.
    private static bool SharePlaces(WorkLane one, WorkLane other) => (one == WorkLane.Maintenance) == (other == WorkLane.Maintenance);

    private sealed record Running(PlannedWork Work, DateTimeOffset Since, Task Task);
}
