using System.Text.Json.Serialization;
using KestrelAcme.Azure.Storage.Blobs;
using KestrelAcme.Azure.Storage.KeyVault;

namespace KestrelAcme.Azure.Storage;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LeaseRecord))]
[JsonSerializable(typeof(SecretPointer))]
internal sealed partial class StorageJsonContext : JsonSerializerContext;
