using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>Decodes stored JSON. It tolerates a byte order mark, another encoding, and text after the end.</summary>
internal static class StoredJson
{
    /// <param name="value">The JSON, in UTF-8.</param>
    /// <param name="type">The type to decode.</param>
    /// <param name="what">The subject of the message: the value itself, or its metadata.</param>
    /// <exception cref="DamagedValueException">The value is empty, or is not valid JSON of this type.</exception>
    public static T Decode<T>(ReadOnlySpan<byte> value, JsonTypeInfo<T> type, string what = "it")
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(value, type) ?? throw new DamagedValueException($"{what} is empty");
        }
        catch (JsonException exception)
        {
            if (TryDecode(StoredText.FirstObject(StoredText.Normalize(value)), type) is { } saved)
            {
                return saved;
            }

            throw new DamagedValueException($"{what} is not readable: {exception.Message}", exception);
        }
    }

    private static T? TryDecode<T>(ReadOnlySpan<byte> value, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return value.IsEmpty ? null : JsonSerializer.Deserialize(value, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

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
[JsonSerializable(typeof(StoreIdentity))]
[JsonSerializable(typeof(OnDemandRecord))]
[JsonSerializable(typeof(NewNameCounts))]
internal sealed partial class PersistenceJsonContext : JsonSerializerContext;
