using System.Text.Json;
using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The stored form of a <see cref="DomainSourceRecord"/>: JSON.</summary>
internal static class DomainSourceFile
{
    public static byte[] Encode(DomainSourceRecord record)
        => JsonSerializer.SerializeToUtf8Bytes(record, PersistenceJsonContext.Default.DomainSourceRecord);

    /// <exception cref="DamagedValueException">The value is not such a file.</exception>
    public static DomainSourceRecord Decode(ReadOnlySpan<byte> value)
    {
        var record = StoredJson.Decode(value, PersistenceJsonContext.Default.DomainSourceRecord);
        return record.Names is null ? throw new DamagedValueException("it has no names") : record;
    }
}

/// <summary>The names that a domain source returned last.</summary>
internal sealed record DomainSourceRecord
{
    public int Version { get; init; } = 1;

    public required IReadOnlyList<string> Names { get; init; }
}
