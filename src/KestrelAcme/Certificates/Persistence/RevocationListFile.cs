using System.Text.Json;
using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The stored form of a <see cref="RevocationListRecord"/>: JSON.</summary>
internal static class RevocationListFile
{
    public static byte[] Encode(RevocationListRecord record)
        => JsonSerializer.SerializeToUtf8Bytes(record, PersistenceJsonContext.Default.RevocationListRecord);

    /// <exception cref="DamagedValueException">The value is not such a file.</exception>
    public static RevocationListRecord Decode(ReadOnlySpan<byte> value) => StoredJson.Decode(value, PersistenceJsonContext.Default.RevocationListRecord);
}
