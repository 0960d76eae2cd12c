using System.Text.Json.Serialization;

namespace KestrelAcme.Storage.FileSystem;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LeaseRecord))]
internal sealed partial class LeaseRecordJsonContext : JsonSerializerContext;
