using System.Text.Json;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>What was found unused, and since when: JSON. One that cannot be read only makes the grace begin anew.</summary>
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
