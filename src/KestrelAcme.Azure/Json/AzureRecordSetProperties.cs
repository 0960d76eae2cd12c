using System.Text.Json.Serialization;

namespace KestrelAcme.Azure.Json;

/// <summary>What a set of TXT records holds. Metadata are the owner's own, and are written back as they were.</summary>
internal sealed record AzureRecordSetProperties
{
    [JsonPropertyName("TTL")]
    public long TimeToLive { get; init; }

    [JsonPropertyName("TXTRecords")]
    public IReadOnlyList<AzureTxtRecord>? Records { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}
