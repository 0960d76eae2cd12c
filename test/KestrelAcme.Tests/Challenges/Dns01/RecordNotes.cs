using System.Text.Json;
using KestrelAcme.Challenges.Dns01.Records;
using KestrelAcme.Storage;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>What a store notes of records.</summary>
internal static class RecordNotes
{
    /// <summary>Makes all notes older: a name server refuses what is signed by a clock that is ahead.</summary>
    public static async Task AgeAsync(IAcmeStorage storage, TimeSpan by, CancellationToken cancellationToken)
    {
        foreach (var key in await KeysAsync(storage, cancellationToken))
        {
            var entry = JsonSerializer.Deserialize((await storage.ReadAsync(key, cancellationToken))!.Value.Span, RecordJsonContext.Default.RecordEntry)!;
            await storage.WriteAsync(key, JsonSerializer.SerializeToUtf8Bytes(entry with { CreatedAt = entry.CreatedAt - by }, RecordJsonContext.Default.RecordEntry), lease: null, cancellationToken);
        }
    }

    public static async Task<List<string>> KeysAsync(IAcmeStorage storage, CancellationToken cancellationToken)
        => await storage.ListAsync(RecordKeys.RecordsPrefix, cancellationToken).ToListAsync(cancellationToken);
}
