using System.Text.Json.Serialization;

namespace KestrelAcme.Challenges.Dns01.Records;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RecordEntry))]
internal sealed partial class RecordJsonContext : JsonSerializerContext;
