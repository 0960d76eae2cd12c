using System.Text.Json.Serialization;

namespace KestrelAcme.Challenges.Dns01.Cloudflare;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CloudflareEnvelope<CloudflareZone>))]
[JsonSerializable(typeof(CloudflareEnvelope<CloudflareRecord>))]
[JsonSerializable(typeof(CloudflareChange))]
[JsonSerializable(typeof(CloudflareRecord))]
internal sealed partial class CloudflareJsonContext : JsonSerializerContext;
