namespace KestrelAcme.Challenges.Dns01.PowerDns;

/// <summary>
/// Computes the change that adds a value to the TXT records of a name or removes it. Everything else is preserved: other values, disabled
/// records, the TTL, and comments, which the server keeps if none are sent and records are left. Pure.
/// </summary>
internal static class PowerDnsChange
{
    public static bool Has(PowerDnsRecordSet? set, DnsTxtRecord record)
        => set?.Records?.Any(r => !r.Disabled && r.Content == Quoted(record)) == true;

    /// <summary>
    /// Returns a change of the single value, which servers of version 5.0 and
    /// later support; <see langword="null"/> if the whole set must be replaced.
    /// </summary>
    public static PowerDnsRecordSet? OfOneValue(PowerDnsRecordSet? set, DnsTxtRecord record, bool isWanted)
        // The server extends the enabled records and stores the result, so disabled records would be lost.
        => set?.Records?.Any(r => r.Disabled) == true
            ? null
            : new PowerDnsRecordSet(
                record.Name + ".", "TXT", TimeToLive(set, record), isWanted ? "EXTEND" : "PRUNE", [new(Quoted(record))]);

    public static PowerDnsRecordSet OfWholeSet(PowerDnsRecordSet? set, DnsTxtRecord record, bool isWanted)
    {
        // A disabled record of the same value is enabled instead, because both cannot exist.
        var others = (set?.Records ?? []).Where(r => r.Content != Quoted(record) || (r.Disabled && !isWanted));
        IReadOnlyList<PowerDnsRecord> records = isWanted ? [.. others, new(Quoted(record))] : [.. others];
        return records.Count == 0
            ? new PowerDnsRecordSet(record.Name + ".", "TXT", Changetype: "DELETE")
            : new PowerDnsRecordSet(record.Name + ".", "TXT", TimeToLive(set, record), "REPLACE", records);
    }

    /// <summary>Adds the disabled records that a filtered view of the set may omit.</summary>
    public static PowerDnsRecordSet? WithDisabled(
        PowerDnsRecordSet? set, IReadOnlyList<PowerDnsFound> disabled, DnsTxtRecord record)
    {
        var known = set?.Records ?? [];
        var missing = disabled.Where(d => d.Content is not null && !known.Any(r => r.Content == d.Content)).ToList();
        if (missing.Count == 0)
        {
            return set;
        }

        var whole = set ?? new PowerDnsRecordSet(record.Name + ".", "TXT", missing[0].Ttl);
        return whole with { Records = [.. known, .. missing.Select(d => new PowerDnsRecord(d.Content!, Disabled: true))] };
    }

    private static long TimeToLive(PowerDnsRecordSet? set, DnsTxtRecord record) => set?.Ttl ?? (long)record.TimeToLive.TotalSeconds;

    private static string Quoted(DnsTxtRecord record) => $"\"{record.Value}\"";
}
