using System.Text.Json;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Reads and writes the record of one lease. The caller is inside the lease's <see cref="FileLock"/>.</summary>
internal static class LeaseFile
{
    private const int MaxLength = 64 * 1024;

    /// <summary>Reads the record.</summary>
    /// <returns>The record, or why it cannot be understood, or neither when there is none.</returns>
    public static (LeaseRecord? Record, string? Damage) Read(string path)
    {
        byte[] content;
        using (var file = AtomicFile.OpenIfExists(path))
        {
            if (file is null)
            {
                return (null, null);
            }

            var length = RandomAccess.GetLength(file);
            if (length is 0 or > MaxLength)
            {
                return (null, length == 0 ? "it is empty" : "it is far too large");
            }

            content = AtomicFile.ReadToEnd(file, MaxLength);
        }

        try
        {
            var record = JsonSerializer.Deserialize(content, LeaseRecordJsonContext.Default.LeaseRecord);
            return record is null || record.FencingNumber is < 0 or > LeaseRecord.MaxFencingNumber || !(record.DurationSeconds >= 0 && record.DurationSeconds <= LeaseTerms.MaxDuration.TotalSeconds)
                ? (null, "a value in it is impossible")
                : (record, null);
        }
        catch (JsonException exception)
        {
            return (null, exception.Message);
        }
    }

    public static void Write(string path, LeaseRecord record, string ownerId, bool durable)
        => AtomicFile.Replace(
            path,
            JsonSerializer.SerializeToUtf8Bytes(record, LeaseRecordJsonContext.Default.LeaseRecord),
            StoragePaths.Temporary(Path.GetDirectoryName(path)!, ownerId),
            durable);

    /// <summary>Moves a record that cannot be understood out of the way. One is kept for each lease.</summary>
    public static string SetAside(string path)
    {
        var aside = path + "~damaged";
        File.Move(path, aside, overwrite: true);
        return aside;
    }
}
