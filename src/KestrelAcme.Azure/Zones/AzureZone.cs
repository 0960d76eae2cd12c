using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Azure.Json;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Azure.Zones;

/// <summary>A zone of Azure DNS.</summary>
/// <param name="ResourceId">Its resource id, <c>/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/dnsZones/NAME</c>.</param>
/// <param name="Name">Its name, in lower case.</param>
internal sealed record AzureZone(string ResourceId, string Name)
{
    private const string Provider = "Microsoft.Network";
    private const string Type = "dnsZones";

    public static bool TryParse(string? text, [NotNullWhen(true)] out AzureZone? zone)
    {
        zone = null;
        if (text?.Trim().Split('/') is not
            ["", "subscriptions", var subscription, var groups, var group, "providers", var provider, var type, var name]
            || !Is(groups, "resourceGroups") || !Is(provider, Provider) || !Is(type, Type)
            || new[] { subscription, group, name }.Any(part =>
                part.Length == 0 || part != Uri.UnescapeDataString(part) || part.AsSpan().ContainsAny(" ?#%")))
        {
            return false;
        }

        var resourceId = $"/subscriptions/{subscription}/resourceGroups/{group}/providers/{Provider}/{Type}/{name}";
        zone = new AzureZone(resourceId, name.TrimEnd('.').ToLowerInvariant());
        return true;
    }

    /// <summary>Reads resource IDs that are separated by commas.</summary>
    /// <exception cref="FormatException">One of them is not the resource ID of a zone.</exception>
    public static IReadOnlyList<AzureZone> ParseList(string text) => [.. Split(text).Select(id => TryParse(id, out var zone)
        ? zone
        : throw new FormatException($"'{QuotedText.Of(id, QuotedText.MaxNameLength)}' is not the resource ID of a DNS zone."))];

    /// <returns>What is wrong with a list, or <see langword="null"/>.</returns>
    public static string? CheckList(string text)
    {
        if (Split(text) is not { Length: > 0 } ids || Array.Exists(ids, id => !TryParse(id, out _)))
        {
            return "is not a list of resource IDs of DNS zones, separated by commas";
        }

        var zones = ParseList(text);
        return zones.Select(zone => zone.Name).Distinct().FirstOrDefault(name => Named(zones, name).Count > 1) is { } twice
            ? $"holds several zones named {twice}, but DNS uses only one of them" : null;
    }

    /// <summary>Returns all zones with a name, each once.</summary>
    public static IReadOnlyList<AzureZone> Named(IEnumerable<AzureZone> zones, string name)
        => [.. zones.Where(zone => Is(zone.Name, name)).DistinctBy(zone => zone.ResourceId, StringComparer.OrdinalIgnoreCase)];

    /// <summary>Returns the resource of a name's TXT record set.</summary>
    public string RecordSet(string recordName)
        => $"{ResourceId}/TXT/{(recordName.Length == Name.Length ? "@" : Uri.EscapeDataString(recordName[..^(Name.Length + 1)]))}";

    private static string[] Split(string text) =>
        text.Split([',', ';'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static bool Is(string text, string expected) => string.Equals(text, expected, StringComparison.OrdinalIgnoreCase);
}

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
