namespace KestrelAcme.Challenges;

/// <summary>
/// Who goes first for what, among the instances that order. All that know the same instances agree without a word, and their places differ
/// from work to work, so that they share it evenly.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class FleetPlaces
{
    private volatile Known _known = new("", 0, []);

    /// <summary>
    /// Raised when the other instances are not those of before, on another thread: an order whose time is short may have found it out.
    /// </summary>
    public event Action? Changed;

    /// <summary>Takes note of the instances that run now.</summary>
    public void Note(string self, IEnumerable<string> others)
    {
        var sorted = others.Order(StringComparer.Ordinal).ToList();
        var ids = $"{self} {string.Join(' ', sorted)}";
        if (ids != _known.Ids && (sorted.Count > 0 || _known.Others.Length > 0))
        {
            _known = new Known(ids, Hash(self), [.. sorted.Select(Hash)]);
            if (Changed is { } changed)
            {
                _ = Task.Run(changed);
            }
        }
    }

    /// <summary>Returns this instance's place for some work; the first, as long as it knows of no others.</summary>
    /// <param name="work">What one of them is to do.</param>
    public PlaceInFleet Of(string work)
    {
        var known = _known;
        if (known.Others.Length == 0)
        {
            return default;
        }

        var hash = Hash(work);
        var own = Mix(hash ^ known.Self);
        var before = 0;
        foreach (var other in known.Others)
        {
            before += Mix(hash ^ other) < own ? 1 : 0;
        }

        return new PlaceInFleet(before, known.Others.Length);
    }

    // FNV-1a: the same in each process.
    private static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        return hash;
    }

    // SplitMix64: similar hashes have different places.
    private static ulong Mix(ulong hash)
    {
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9UL;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBUL;
        return hash ^ (hash >> 31);
    }

    private sealed record Known(string Ids, ulong Self, ulong[] Others);
}

/// <summary>The place of an instance among those that share some work.</summary>
/// <param name="Before">How many others go first.</param>
/// <param name="Others">How many others there are.</param>
internal readonly record struct PlaceInFleet(int Before, int Others);
