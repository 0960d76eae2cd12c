using System.Text.Json;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Reads the record of a lease.</summary>
internal static class LeaseFile
{
    private const int MaxLength = 64 * 1024;

    /// <summary>Reads the record.</summary>
    /// <returns>The record, or the reason why it is invalid, or neither if there is none.</returns>
    public static (LeaseRecord? Record, string? Damage) Read(string path) => AtomicFile.ReadAgain(() => ReadOnce(path));

    private static (LeaseRecord? Record, string? Damage) ReadOnce(string path)
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
                return (null, length == 0 ? "it is empty" : "it is too large");
            }

            content = AtomicFile.ReadToEnd(file, MaxLength);
        }

        try
        {
            var record = JsonFields.Read(content, ReadFields);
            return record is null || record.FencingNumber is < 0 or > LeaseRecord.MaxFencingNumber
                || !(record.DurationSeconds >= 0 && record.DurationSeconds <= StorageLease.MaxDuration.TotalSeconds)
                    ? (null, "it contains an impossible value")
                    : (record, null);
        }
        catch (JsonException exception)
        {
            return (null, exception.Message);
        }
    }

    public static byte[] Serialize(LeaseRecord record) => JsonFields.Write(record, WriteFields, indented: true);

    private static LeaseRecord ReadFields(JsonFields json) => new()
    {
        Owner = json.OptionalText("owner"),
        FencingNumber = json.LongNumber("fencingNumber"),
        Expires = json.OptionalInstant("expires") ?? default,
        DurationSeconds = json.Fraction("durationSeconds", 0),
        Machine = json.OptionalText("machine") ?? "",
        Host = json.OptionalText("host") ?? "",
        ProcessId = json.Number("processId"),
        Claim = json.OptionalText("claim"),
        Since = json.LongNumber("since", 0),
    };

    private static void WriteFields(Utf8JsonWriter json, LeaseRecord record)
    {
        json.WriteString("owner", record.Owner);
        json.WriteNumber("fencingNumber", record.FencingNumber);
        json.WriteString("expires", record.Expires);
        json.WriteNumber("durationSeconds", record.DurationSeconds);
        json.WriteString("machine", record.Machine);
        json.WriteString("host", record.Host);
        json.WriteNumber("processId", record.ProcessId);
        json.WriteString("claim", record.Claim);
        json.WriteNumber("since", record.Since);
    }

    /// <summary>Moves an invalid record out of the way. Only one is kept per lease.</summary>
    public static string SetAside(string path)
    {
        var aside = path + "~damaged";
        File.Move(path, aside, overwrite: true);
        return aside;
    }
}

/// <summary>The content of a lease file.</summary>
internal sealed record LeaseRecord
{
    /// <summary>Higher than every number that is ever used.</summary>
    public const long MaxFencingNumber = long.MaxValue / 2;

    /// <summary>The instance that holds the lease; <see langword="null"/> if it was released.</summary>
    public string? Owner { get; init; }

    public required long FencingNumber { get; init; }

    public DateTimeOffset Expires { get; init; }

    public double DurationSeconds { get; init; }

    /// <summary>The running system, and the mount, in which the owner's file lock exists. Elsewhere the lock proves nothing.</summary>
    public string Machine { get; init; } = "";

    /// <summary>For people who read the file.</summary>
    public string Host { get; init; } = "";

    /// <inheritdoc cref="Host"/>
    public int ProcessId { get; init; }

    /// <summary>The holder's claim; <see langword="null"/> in a record of an earlier version.</summary>
    public string? Claim { get; init; }

    /// <summary>When the lease was acquired or renewed, in the time of the file server, as milliseconds of Unix time.</summary>
    public long Since { get; init; }
}
