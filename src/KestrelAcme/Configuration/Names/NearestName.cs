namespace KestrelAcme.Configuration.Names;

/// <summary>Suggests a correction for a misspelled name.</summary>
internal static class NearestName
{
    private const int MaxLength = 64;

    /// <summary>Returns the known name that is closest to a misspelled one, or <see langword="null"/> if none is close.</summary>
    public static string? Find(string written, IEnumerable<string> known)
    {
        if (written.Length > MaxLength)
        {
            return null;
        }

        var allowed = Math.Clamp(written.Length / 3, 1, 4);
        return known.Select(name => (Name: name, Distance: Distance(written.ToUpperInvariant(), name.ToUpperInvariant())))
            .Where(candidate => candidate.Distance <= allowed)
            .OrderBy(candidate => candidate.Distance)
            .Select(candidate => candidate.Name)
            .FirstOrDefault();
    }

    /// <summary>Returns the Levenshtein distance: the fewest insertions, deletions and substitutions between two texts.</summary>
    private static int Distance(string from, string to)
    {
        var previous = Enumerable.Range(0, to.Length + 1).ToArray();
        var current = new int[to.Length + 1];
        for (var i = 0; i < from.Length; i++)
        {
            current[0] = i + 1;
            for (var j = 0; j < to.Length; j++)
            {
                var substitution = previous[j] + (from[i] == to[j] ? 0 : 1);
                current[j + 1] = Math.Min(substitution, Math.Min(previous[j + 1], current[j]) + 1);
            }

            (previous, current) = (current, previous);
        }

        return previous[to.Length];
    }
}
