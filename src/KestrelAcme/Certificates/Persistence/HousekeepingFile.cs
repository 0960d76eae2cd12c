using System.Text.Json;

namespace KestrelAcme.Certificates.Persistence;

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
