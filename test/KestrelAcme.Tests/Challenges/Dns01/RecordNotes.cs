using System.Text.Json;
using KestrelAcme.Challenges.Dns01.Records;
using KestrelAcme.Storage;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>The notes of records in a store.</summary>
internal static class RecordNotes
{
    /// <summary>
    /// Makes all notes older. Advancing the clock is not possible, because name servers reject signatures from the future.
    /// </summary>
    public static async Task AgeAsync(IAcmeStorage storage, TimeSpan by, CancellationToken cancellationToken)
    {
        foreach (var key in await KeysAsync(storage, cancellationToken))
        {
            var value = await storage.ReadAsync(key, cancellationToken);
            var entry = JsonSerializer.Deserialize(value!.Value.Span, RecordJsonContext.Default.RecordEntry)!;
            await storage.WriteAsync(
                key,
                JsonSerializer.SerializeToUtf8Bytes(entry with { CreatedAt = entry.CreatedAt - by }, RecordJsonContext.Default.RecordEntry),
                lease: null,
                cancellationToken);
        }
    }

    public static async Task<List<string>> KeysAsync(IAcmeStorage storage, CancellationToken cancellationToken)
        => await storage.ListAsync(RecordKeys.RecordsPrefix, cancellationToken).ToListAsync(cancellationToken);
}
