using System.Text.Json.Serialization;

namespace KestrelAcme.Challenges.Dns01.PowerDns;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PowerDnsZone))]
[JsonSerializable(typeof(PowerDnsError))]
[JsonSerializable(typeof(IReadOnlyList<PowerDnsFound>))]
internal sealed partial class PowerDnsJsonContext : JsonSerializerContext;

/// <summary>A zone, or a change of one, in the format of the API.</summary>
internal sealed record PowerDnsZone(string? Kind = null, IReadOnlyList<PowerDnsRecordSet>? Rrsets = null);

/// <summary>The records of a name and type.</summary>
internal sealed record PowerDnsRecordSet(
    string Name, string Type, long? Ttl = null, string? Changetype = null, IReadOnlyList<PowerDnsRecord>? Records = null);

/// <summary>A DNS record. The content of a TXT record is quoted.</summary>
internal sealed record PowerDnsRecord(string Content, bool Disabled = false);

/// <summary>A search result.</summary>
internal sealed record PowerDnsFound(string? Name, string? Zone, string? Type, string? Content, long? Ttl = null, bool Disabled = false);

/// <summary>An error response of the API.</summary>
internal sealed record PowerDnsError(string? Error, IReadOnlyList<string>? Errors = null);
