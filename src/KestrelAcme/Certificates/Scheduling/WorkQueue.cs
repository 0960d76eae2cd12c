using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// The planned jobs: at most one for each certificate. Jobs wait by time. Due jobs wait in two queues for each lane: by urgency or, if they
/// are suspect, in the order in which they became due. Not safe for concurrent use.
/// </summary>
internal sealed class WorkQueue
{
    private const int Slack = 1000;

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    // By ticks in UTC, because a hundred thousand may wait.
    private readonly PriorityQueue<Entry, long> _waiting = new();
    private readonly PriorityQueue<Entry, long>[] _due = new PriorityQueue<Entry, long>[2 * Enum.GetNames<WorkLane>().Length];

    public WorkQueue()
    {
        for (var i = 0; i < _due.Length; i++)
        {
            _due[i] = new PriorityQueue<Entry, long>();
        }
    }

    public int Count => _entries.Count;

    /// <summary>The number of entries, including those that were replaced.</summary>
    public int Kept => _waiting.Count + _due.Sum(q => q.Count);

    /// <summary>Reserves room for a number of jobs.</summary>
    public void EnsureCapacity(int count)
    {
        _entries.EnsureCapacity(count);
        _waiting.EnsureCapacity(count);
    }

    /// <summary>Plans a job, and replaces the one that was planned for the certificate before.</summary>
    public void Set(string id, PlannedWork work, DateTimeOffset now)
    {
        // Everything is planned again with each pass over the names, most of it unchanged. A job that is already due must not lose its
        // turn.
        if (_entries.TryGetValue(id, out var known)
            && (known.Work == work || (known.DueSince is not null && work.Due <= now && known.Work with { Due = work.Due } == work)))
        {
            return;
        }

        var entry = new Entry(id, work);
        _entries[id] = entry;
        _waiting.Enqueue(entry, work.Due.UtcTicks);
        Compact(_waiting);
    }

    public void Remove(string id) => _entries.Remove(id);

    public PlannedWork? Find(string id) => _entries.TryGetValue(id, out var entry) ? entry.Work : null;

    /// <summary>Moves jobs that have become due to the queues by urgency.</summary>
    public void Advance(DateTimeOffset now)
    {
        while (_waiting.TryPeek(out var entry, out _) && entry.Work.Due <= now)
        {
            _waiting.Dequeue();
            if (IsCurrent(entry))
            {
                entry.DueSince = now;
                var suspect = entry.Work.IsSuspect(now);
                var queue = DueQueue(entry.Work.Lane, suspect);
                queue.Enqueue(entry, (suspect ? now : entry.Work.Urgency).UtcTicks);
                Compact(queue);
            }
        }
    }

    /// <summary>Returns the next due job of a lane, which stays in the queue.</summary>
    public string? PeekDue(WorkLane lane, bool suspect = false)
    {
        var queue = DueQueue(lane, suspect);
        while (queue.TryPeek(out var entry, out _))
        {
            if (IsCurrent(entry))
            {
                return entry.Id;
            }

            queue.Dequeue();
        }

        return null;
    }

    /// <summary>Whether the last attempt of the next suspect job of a lane failed.</summary>
    public bool HasFailed(WorkLane lane) => PeekDue(lane, suspect: true) is { } id && _entries[id].Work.IsFailing;

    /// <summary>Removes the job that <see cref="PeekDue"/> returned.</summary>
    public PlannedWork TakeDue(WorkLane lane, bool suspect = false)
    {
        var entry = DueQueue(lane, suspect).Dequeue();
        _entries.Remove(entry.Id);
        return entry.Work;
    }

    /// <summary>Returns how many jobs of a lane have been due since before a time, and which one for the longest.</summary>
    public (int Count, string? Longest, DateTimeOffset Since) DueSinceBefore(WorkLane lane, DateTimeOffset time)
    {
        var due = DueQueue(lane, suspect: false).UnorderedItems.Concat(DueQueue(lane, suspect: true).UnorderedItems).Select(i => i.Element);
        var late = due.Where(e => e.DueSince < time && IsCurrent(e)).ToList();
        return late.MinBy(e => e.DueSince) is { DueSince: { } since } longest ? (late.Count, longest.Id, since) : default;
    }

    /// <summary>Returns how many jobs of a lane have become due.</summary>
    public int CountDue(WorkLane lane)
        => DueQueue(lane, suspect: false).UnorderedItems.Count(i => IsCurrent(i.Element))
            + DueQueue(lane, suspect: true).UnorderedItems.Count(i => IsCurrent(i.Element));

    /// <summary>Returns the time at which the next job is due; <see langword="null"/> if none waits.</summary>
    public DateTimeOffset? NextDue()
    {
        while (_waiting.TryPeek(out var entry, out _))
        {
            if (IsCurrent(entry))
            {
                return entry.Work.Due;
            }

            _waiting.Dequeue();
        }

        return null;
    }

    private PriorityQueue<Entry, long> DueQueue(WorkLane lane, bool suspect) => _due[(2 * (int)lane) + (suspect ? 1 : 0)];

    // Replaced entries stay until they are reached, which may be weeks away: they must not outnumber the current ones.
    private void Compact(PriorityQueue<Entry, long> queue)
    {
        if (queue.Count > _entries.Count + (_entries.Count / 4) + Slack)
        {
            var current = queue.UnorderedItems.Where(i => IsCurrent(i.Element)).ToList();
            queue.Clear();
            queue.EnqueueRange(current);
        }
    }

    // An entry that was replaced or removed is dropped when it is reached.
    private bool IsCurrent(Entry entry) => _entries.TryGetValue(entry.Id, out var current) && ReferenceEquals(current, entry);

    private sealed record Entry(string Id, PlannedWork Work)
    {
        /// <summary>Since when it has been due; <see langword="null"/> while it waits for its time.</summary>
        public DateTimeOffset? DueSince { get; set; }
    }
}

/// <summary>A planned job for a certificate.</summary>
/// <param name="Due">When it is due. A time in the past means now.</param>
/// <param name="Lane">The kind of job.</param>
/// <param name="Urgency">The expiry of the certificate. Among the due jobs, the one with the earliest urgency goes first.</param>
internal sealed record PlannedWork(DateTimeOffset Due, WorkLane Lane, DateTimeOffset Urgency)
{
    /// <summary>The action. Everything except orders is done in <see cref="WorkLane.Maintenance"/>.</summary>
    public CertificateAction Action { get; init; }

    /// <summary>Whether it failed the last time.</summary>
    public bool IsFailing { get; init; }

    /// <summary>
    /// Whether the job may hang or fail again: it failed the last time, or its certificate has expired, which those of working names do
    /// not. Suspects share half of the slots, in the order in which they became due, so that a name that always fails does not delay the
    /// others.
    /// </summary>
    public bool IsSuspect(DateTimeOffset now) => IsFailing || (Lane == WorkLane.Renewals && Urgency <= now);
}
