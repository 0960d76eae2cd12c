using KestrelAcme.Azure.Json;
using KestrelAcme.Challenges.Dns01;

namespace KestrelAcme.Azure.Zones;

/// <summary>
/// Computes a name's new TXT record set. Returns the same object if nothing changes, and <see langword="null"/> if the set is to be
/// deleted. Stateless.
/// </summary>
internal static class RecordSetChange
{
    public static AzureRecordSetProperties Add(AzureRecordSetProperties? set, DnsTxtRecord record)
    {
        if (set is null)
        {
            return new AzureRecordSetProperties
            {
                TimeToLive = (long)record.TimeToLive.TotalSeconds, Records = [new([record.Value])],
            };
        }

        return Has(set, record) ? set : set with { Records = [.. set.Records ?? [], new([record.Value])] };
    }

    public static AzureRecordSetProperties? Remove(AzureRecordSetProperties? set, DnsTxtRecord record)
    {
        if (set is null || !Has(set, record))
        {
            return set;
        }

        var others = set.Records!.Where(existing => existing.Text != record.Value).ToList();
        return others.Count == 0 ? null : set with { Records = others };
    }

    private static bool Has(AzureRecordSetProperties set, DnsTxtRecord record) =>
        set.Records?.Any(existing => existing.Text == record.Value) == true;
}
