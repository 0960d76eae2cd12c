using System.Text.Json.Serialization;

namespace KestrelAcme.Challenges.Dns01.AcmeDns;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AcmeDnsRegistration))]
[JsonSerializable(typeof(AcmeDnsUpdate))]
[JsonSerializable(typeof(AcmeDnsError))]
internal sealed partial class AcmeDnsJsonContext : JsonSerializerContext;
