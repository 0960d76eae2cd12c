using System.Text.Json.Serialization;

namespace KestrelAcme.Certificates.Persistence;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    WriteIndented = false)]
[JsonSerializable(typeof(CertificateMetadata))]
[JsonSerializable(typeof(CertificateStateRecord))]
[JsonSerializable(typeof(AccountMetadata))]
internal sealed partial class PersistenceJsonContext : JsonSerializerContext;
