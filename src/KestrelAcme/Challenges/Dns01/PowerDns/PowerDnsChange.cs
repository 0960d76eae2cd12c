namespace KestrelAcme.Challenges.Dns01.PowerDns;

/// <summary>
/// The change that adds a value to a name's TXT records, or removes it. What is not ours stays: other values, disabled records, the time to live, and comments, which the server keeps where none are
/// sent, for as long as there are records. Pure.
/// </summary>
internal static class PowerDnsChange
{
    public static bool Has(PowerDnsRecordSet? set, DnsTxtRecord record) => set?.Records?.Any(r => !r.Disabled && r.Content == Quoted(record)) == true;

    /// <summary>Of the one value, which servers from 5.0 on know; <see langword="null"/> if it takes a change of the whole set.</summary>
    public static PowerDnsRecordSet? OfOneValue(PowerDnsRecordSet? set, DnsTxtRecord record, bool isWanted)
        // The server adds to what it serves and stores the outcome: disabled records would be lost.
        => set?.Records?.Any(r => r.Disabled) == true
            ? null
            : new PowerDnsRecordSet(record.Name + ".", "TXT", TimeToLive(set, record), isWanted ? "EXTEND" : "PRUNE", [new(Quoted(record))]);

    public static PowerDnsRecordSet OfWholeSet(PowerDnsRecordSet? set, DnsTxtRecord record, bool isWanted)
    {
        // Enabling a disabled record of the same value is the way to add it: there cannot be both.
        var others = (set?.Records ?? []).Where(r => r.Content != Quoted(record) || (r.Disabled && !isWanted));
        IReadOnlyList<PowerDnsRecord> records = isWanted ? [.. others, new(Quoted(record))] : [.. others];
        return records.Count == 0
            ? new PowerDnsRecordSet(record.Name + ".", "TXT", Changetype: "DELETE")
            : new PowerDnsRecordSet(record.Name + ".", "TXT", TimeToLive(set, record), "REPLACE", records);
    }

    /// <summary>The set with the disabled records that a view of it may have left out.</summary>
    public static PowerDnsRecordSet? WithDisabled(PowerDnsRecordSet? set, IReadOnlyList<PowerDnsFound> disabled, DnsTxtRecord record)
    {
        var known = set?.Records ?? [];
        var missing = disabled.Where(d => d.Content is not null && !known.Any(r => r.Content == d.Content)).ToList();
        return missing.Count == 0
            ? set
            : (set ?? new PowerDnsRecordSet(record.Name + ".", "TXT", missing[0].Ttl)) with { Records = [.. known, .. missing.Select(d => new PowerDnsRecord(d.Content!, Disabled: true))] };
    }

    private static long TimeToLive(PowerDnsRecordSet? set, DnsTxtRecord record) => set?.Ttl ?? (long)record.TimeToLive.TotalSeconds;

    private static string Quoted(DnsTxtRecord record) => $"\"{record.Value}\"";
}
