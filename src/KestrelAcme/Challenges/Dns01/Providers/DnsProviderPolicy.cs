namespace KestrelAcme.Challenges.Dns01.Providers;

/// <summary>Chooses a provider by its zones. Pure.</summary>
internal static class DnsProviderPolicy
{
    /// <summary>
    /// Returns the index of the provider whose zone is the longest at or above the record's name; otherwise, at or above the name before
    /// CNAMEs; otherwise, that of a provider without zones; otherwise <see langword="null"/>.
    /// </summary>
    public static int? Choose(IReadOnlyList<IReadOnlyList<string>> zones, string recordName, string challengeName)
        => Longest(zones, recordName) ?? Longest(zones, challengeName) ?? WithoutZones(zones);

    private static int? Longest(IReadOnlyList<IReadOnlyList<string>> zones, string name)
    {
        int? best = null;
        var length = 0;
        for (var i = 0; i < zones.Count; i++)
        {
            foreach (var zone in zones[i].Where(zone => zone.Length > length && Covers(zone, name)))
            {
                (best, length) = (i, zone.Length);
            }
        }

        return best;
    }

    private static int? WithoutZones(IReadOnlyList<IReadOnlyList<string>> zones)
    {
        for (var i = 0; i < zones.Count; i++)
        {
            if (zones[i].Count == 0)
            {
                return i;
            }
        }

        return null;
    }

    private static bool Covers(string zone, string name)
        => name.EndsWith(zone, StringComparison.OrdinalIgnoreCase)
            && (name.Length == zone.Length || name[name.Length - zone.Length - 1] == '.');
}
