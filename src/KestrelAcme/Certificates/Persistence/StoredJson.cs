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

/// <summary>
/// The stored form of the values that nothing uses, and since when: JSON. If it cannot be read, the grace period starts again.
/// </summary>
internal static class HousekeepingFile
{
    public static byte[] Encode(Dictionary<string, UnusedMark> marks)
        => JsonSerializer.SerializeToUtf8Bytes(marks, PersistenceJsonContext.Default.DictionaryStringUnusedMark);

    public static Dictionary<string, UnusedMark> Decode(ReadOnlySpan<byte> value)
    {
        try
        {
            return JsonSerializer.Deserialize(value, PersistenceJsonContext.Default.DictionaryStringUnusedMark) ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}

/// <summary>How long nothing has used a value of the store.</summary>
/// <param name="Since">The first time that it was found unused.</param>
/// <param name="Rounds">The number of daily rounds in which it was found unused.</param>
/// <param name="LastRound">The time of the last of them.</param>
internal sealed record UnusedMark(DateTimeOffset Since, int Rounds, DateTimeOffset LastRound);

/// <summary>
/// The stored form of what tells a store from an emptied one: JSON. One that cannot be read counts as missing, and is written again.
/// </summary>
internal static class StoreIdentityFile
{
    public static byte[] Encode(StoreIdentity identity) => JsonFields.Write(identity, static (json, identity) =>
    {
        json.WriteText("id", identity.Id);
        json.WriteBoolean("wasFilled", identity.WasFilled);
    });

    public static StoreIdentity? Decode(ReadOnlySpan<byte> value)
    {
        try
        {
            return JsonFields.Read(value, static json => new StoreIdentity(json.Text("id"), json.Flag("wasFilled")));
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Which store it is.</summary>
/// <param name="Id">A random ID, made when the store was first used. If it changes, the store was emptied or replaced.</param>
/// <param name="WasFilled">Whether any instance has written back what it had in memory. While it does, it has a record of its own.</param>
internal sealed record StoreIdentity(string Id, bool WasFilled = false);

/// <summary>
/// The time of the next check of a revocation list for the certificates of one issuer, and the last CRL number. Stored, so that a restart
/// neither fetches the list again nor accepts an older one.
/// </summary>
internal sealed record RevocationListRecord
{
    public required Uri Url { get; init; }

    /// <summary>The SHA-256 of the issuer's public key, in hexadecimal.</summary>
    public required string IssuerKey { get; init; }

    /// <summary>
    /// The time of the next check for each set of certificates that the list was searched for, keyed by the hash of the set. An instance
    /// with other certificates searches the list itself.
    /// </summary>
    public required IReadOnlyDictionary<string, DateTimeOffset> NextChecks { get; init; }

    /// <summary>The CRL number, in decimal.</summary>
    public string? Number { get; init; }
}

/// <summary>The stored form of a <see cref="RevocationListRecord"/>: JSON.</summary>
internal static class RevocationListFile
{
    public static byte[] Encode(RevocationListRecord record)
        => JsonSerializer.SerializeToUtf8Bytes(record, PersistenceJsonContext.Default.RevocationListRecord);

    /// <exception cref="DamagedValueException">The value is not such a file.</exception>
    public static RevocationListRecord Decode(ReadOnlySpan<byte> value)
        => StoredJson.Decode(value, PersistenceJsonContext.Default.RevocationListRecord);
}
