using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>Decodes stored JSON. It tolerates a byte order mark, another encoding, and text after the end.</summary>
internal static class StoredJson
{
    private delegate T? Decoder<T>(ReadOnlySpan<byte> value);

    /// <summary>Decodes what a start reads: see <see cref="JsonFields"/>.</summary>
    /// <param name="value">The JSON, in UTF-8.</param>
    /// <param name="read">Reads the fields.</param>
    /// <param name="what">The subject of the message: the value itself, or its metadata.</param>
    /// <exception cref="DamagedValueException">The value is empty, or is not valid JSON of this type.</exception>
    public static T Decode<T>(ReadOnlySpan<byte> value, Func<JsonFields, T> read, string what = "it")
        where T : class
        => Decode(value, json => JsonFields.Read(json, read), what);

    /// <summary>Decodes what is stored rarely.</summary>
    /// <exception cref="DamagedValueException">The value is empty, or is not valid JSON of this type.</exception>
    public static T Decode<T>(ReadOnlySpan<byte> value, JsonTypeInfo<T> type)
        where T : class
        => Decode(value, json => JsonSerializer.Deserialize(json, type), "it");

    private static T Decode<T>(ReadOnlySpan<byte> value, Decoder<T> decode, string what)
        where T : class
    {
        try
        {
            return decode(value) ?? throw new DamagedValueException($"{what} is empty");
        }
        catch (JsonException exception)
        {
            if (TryDecode(StoredText.FirstObject(StoredText.Normalize(value)), decode) is { } saved)
            {
                return saved;
            }

            throw new DamagedValueException($"{what} is not readable: {exception.Message}", exception);
        }
    }

    private static T? TryDecode<T>(ReadOnlySpan<byte> value, Decoder<T> decode)
        where T : class
    {
        try
        {
            return value.IsEmpty ? null : decode(value);
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
[JsonSerializable(typeof(AccountHold))]
[JsonSerializable(typeof(AccountBlock[]))]
[JsonSerializable(typeof(Dictionary<string, UnusedMark>))]
[JsonSerializable(typeof(RevocationListRecord))]
[JsonSerializable(typeof(DomainSourceRecord))]
[JsonSerializable(typeof(OnDemandRecord))]
[JsonSerializable(typeof(NewNameCounts))]
internal sealed partial class PersistenceJsonContext : JsonSerializerContext;
