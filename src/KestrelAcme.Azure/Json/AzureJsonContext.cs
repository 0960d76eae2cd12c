using System.Text.Json.Serialization;

namespace KestrelAcme.Azure.Json;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AzureZonePage))]
[JsonSerializable(typeof(AzureRecordSet))]
[JsonSerializable(typeof(AzureErrorResponse))]
internal sealed partial class AzureJsonContext : JsonSerializerContext;
