using System.Text.Json;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>What was found unused, and since when: JSON. One that cannot be read only makes the grace begin anew.</summary>
internal static class HousekeepingFile
{
    public static byte[] Encode(Dictionary<string, DateTimeOffset> marks)
        => JsonSerializer.SerializeToUtf8Bytes(marks, PersistenceJsonContext.Default.DictionaryStringDateTimeOffset);

    public static Dictionary<string, DateTimeOffset> Decode(ReadOnlySpan<byte> value)
    {
        try
        {
            return JsonSerializer.Deserialize(value, PersistenceJsonContext.Default.DictionaryStringDateTimeOffset) ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
