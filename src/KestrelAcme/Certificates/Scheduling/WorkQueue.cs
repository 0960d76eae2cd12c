namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// What is planned: at most one work for each certificate. Works wait by time; those that are due wait by urgency, in a queue for each lane. Not safe for concurrent use.
/// </summary>
internal sealed class WorkQueue
{
    private const int Slack = 1000;

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    // By ticks in UTC: a hundred thousand may wait.
    private readonly PriorityQueue<Entry, long> _waiting = new();
    private readonly Dictionary<WorkLane, PriorityQueue<Entry, long>> _due = Enum.GetValues<WorkLane>().ToDictionary(l => l, _ => new PriorityQueue<Entry, long>());

    public int Count => _entries.Count;

    /// <summary>How many entries are kept, those that were replaced among them.</summary>
    public int Kept => _waiting.Count + _due.Values.Sum(q => q.Count);

    /// <summary>Makes room for as many works at once.</summary>
    public void EnsureCapacity(int count)
    {
        _entries.EnsureCapacity(count);
        _waiting.EnsureCapacity(count);
    }

    /// <summary>Plans a work, in place of the one that was planned for the certificate before.</summary>
    public void Set(string id, PlannedWork work, DateTimeOffset now)
    {
        // Everything is planned again each time the wanted names are looked at, most of it as it was; what is due already is due once more.
        if (_entries.TryGetValue(id, out var known) && (known.Work == work || (known.IsDue && work.Due <= now && known.Work with { Due = work.Due } == work)))
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

    /// <summary>Lets what has fallen due wait by urgency from now on.</summary>
    public void Advance(DateTimeOffset now)
    {
        while (_waiting.TryPeek(out var entry, out _) && entry.Work.Due <= now)
        {
            _waiting.Dequeue();
            if (IsCurrent(entry))
            {
                entry.IsDue = true;
                _due[entry.Work.Lane].Enqueue(entry, entry.Work.Urgency.UtcTicks);
                Compact(_due[entry.Work.Lane]);
            }
        }
    }

    /// <summary>The most urgent work of a lane that is due; it stays in the queue.</summary>
    public string? PeekDue(WorkLane lane)
    {
        var queue = _due[lane];
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

    /// <summary>Takes out the work that <see cref="PeekDue"/> returned.</summary>
    public void TakeDue(WorkLane lane) => _entries.Remove(_due[lane].Dequeue().Id);

    /// <summary>When the next work falls due; <see langword="null"/> when none waits.</summary>
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

    // Entries that were replaced stay until they are met, which may be weeks away: they must not outnumber those that count.
    private void Compact(PriorityQueue<Entry, long> queue)
    {
        if (queue.Count > _entries.Count + (_entries.Count / 4) + Slack)
        {
            var current = queue.UnorderedItems.Where(i => IsCurrent(i.Element)).ToList();
            queue.Clear();
            queue.EnqueueRange(current);
        }
    }

    // An entry that was replaced or removed is dropped when it is met.
    private bool IsCurrent(Entry entry) => _entries.TryGetValue(entry.Id, out var current) && ReferenceEquals(current, entry);

    private sealed record Entry(string Id, PlannedWork Work)
    {
        /// <summary>Whether it waits by urgency already.</summary>
        public bool IsDue { get; set; }
    }
}
