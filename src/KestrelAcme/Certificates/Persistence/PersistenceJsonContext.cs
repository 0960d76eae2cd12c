using System.Text.Json.Serialization;
using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Persistence;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    WriteIndented = false)]
[JsonSerializable(typeof(CertificateMetadata))]
[JsonSerializable(typeof(CertificateStateRecord))]
[JsonSerializable(typeof(AccountMetadata))]
[JsonSerializable(typeof(TokenBucket))]
[JsonSerializable(typeof(AccountHold))]
[JsonSerializable(typeof(AccountBlock[]))]
[JsonSerializable(typeof(Dictionary<string, UnusedMark>))]
[JsonSerializable(typeof(RevocationListRecord))]
[JsonSerializable(typeof(DomainSourceRecord))]
internal sealed partial class PersistenceJsonContext : JsonSerializerContext;
