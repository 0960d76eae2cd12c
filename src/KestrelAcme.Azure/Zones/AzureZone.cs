using System.Diagnostics.CodeAnalysis;

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
        if (text?.Trim().Split('/') is not ["", "subscriptions", var subscription, var groups, var group, "providers", var provider, var type, var name]
            || !Is(groups, "resourceGroups") || !Is(provider, Provider) || !Is(type, Type)
            || new[] { subscription, group, name }.Any(part => part.Length == 0 || part != Uri.UnescapeDataString(part) || part.AsSpan().ContainsAny(" ?#%")))
        {
            return false;
        }

        zone = new AzureZone($"/subscriptions/{subscription}/resourceGroups/{group}/providers/{Provider}/{Type}/{name}", name.TrimEnd('.').ToLowerInvariant());
        return true;
    }

    /// <summary>Reads resource ids with commas between them.</summary>
    /// <exception cref="FormatException">One of them is not the resource id of a zone.</exception>
    public static IReadOnlyList<AzureZone> ParseList(string text) => [.. Split(text).Select(id => TryParse(id, out var zone) ? zone : throw new FormatException($"'{id}' is not the resource id of a DNS zone."))];

    /// <returns>What is wrong with a list, or <see langword="null"/>.</returns>
    public static string? CheckList(string text)
        => Split(text) is { Length: > 0 } ids && Array.Find(ids, id => !TryParse(id, out _)) is null ? null : "is not a list of resource ids of DNS zones, with commas between them";

    /// <summary>The zone with the longest name at or above the record's name.</summary>
    public static AzureZone? Longest(IEnumerable<AzureZone> zones, string recordName)
        => zones.Where(zone => zone.Holds(recordName)).MaxBy(zone => zone.Name.Length);

    /// <summary>The resource of a name's TXT record set.</summary>
    public string RecordSet(string recordName)
        => $"{ResourceId}/TXT/{(recordName.Length == Name.Length ? "@" : Uri.EscapeDataString(recordName[..^(Name.Length + 1)]))}";

    private bool Holds(string recordName)
        => recordName.EndsWith(Name, StringComparison.OrdinalIgnoreCase) && (recordName.Length == Name.Length || recordName[^(Name.Length + 1)] == '.');

    private static string[] Split(string text) => text.Split([',', ';'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static bool Is(string text, string expected) => string.Equals(text, expected, StringComparison.OrdinalIgnoreCase);
}
