using System.Text.Json;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The stored form of a <see cref="CertificateStateRecord"/>: JSON.</summary>
internal static class StateFile
{
    public static byte[] Encode(CertificateStateRecord record)
        => JsonSerializer.SerializeToUtf8Bytes(record, PersistenceJsonContext.Default.CertificateStateRecord);

    /// <exception cref="DamagedValueException">The value is not a state file.</exception>
    public static CertificateStateRecord Decode(ReadOnlySpan<byte> value)
    {
        try
        {
            return JsonSerializer.Deserialize(value, PersistenceJsonContext.Default.CertificateStateRecord)
                ?? throw new DamagedValueException("it is empty");
        }
        catch (JsonException exception)
        {
            throw new DamagedValueException($"it is not readable: {exception.Message}", exception);
        }
    }
}
