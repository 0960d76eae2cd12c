using System.Text.Json;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The stored form of a <see cref="DomainSourceRecord"/>: JSON.</summary>
internal static class DomainSourceFile
{
    public static byte[] Encode(DomainSourceRecord record)
        => JsonSerializer.SerializeToUtf8Bytes(record, PersistenceJsonContext.Default.DomainSourceRecord);

    /// <exception cref="DamagedValueException">The value is not such a file.</exception>
    public static DomainSourceRecord Decode(ReadOnlySpan<byte> value)
    {
        try
        {
            return JsonSerializer.Deserialize(value, PersistenceJsonContext.Default.DomainSourceRecord) is { Names: not null } record
                ? record
                : throw new DamagedValueException("it is empty");
        }
        catch (JsonException exception)
        {
            throw new DamagedValueException($"it is not readable: {exception.Message}", exception);
        }
    }
}
