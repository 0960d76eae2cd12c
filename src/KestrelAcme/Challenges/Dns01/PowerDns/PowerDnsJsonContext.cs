using System.Text.Json.Serialization;

namespace KestrelAcme.Challenges.Dns01.PowerDns;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PowerDnsZone))]
[JsonSerializable(typeof(PowerDnsError))]
[JsonSerializable(typeof(IReadOnlyList<PowerDnsFound>))]
internal sealed partial class PowerDnsJsonContext : JsonSerializerContext;
