using System.Security.Cryptography;
using System.Text.Json;
using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The stored form of a <see cref="CertificateStateRecord"/>: JSON.</summary>
internal static class StateFile
{
    public static byte[] Encode(CertificateStateRecord record)
        => JsonSerializer.SerializeToUtf8Bytes(record, PersistenceJsonContext.Default.CertificateStateRecord);

    /// <exception cref="DamagedValueException">The value is not a state file.</exception>
    public static CertificateStateRecord Decode(ReadOnlySpan<byte> value)
    {
        var record = StoredStateCheck.Repair(StoredJson.Decode(value, PersistenceJsonContext.Default.CertificateStateRecord));
        try
        {
            if (record.StoredOrder is { } order)
            {
                using var readable = CertificateKeys.Read(order.KeyAlgorithm, order.PrivateKey);
            }

            return record;
        }
        catch (CryptographicException exception)
        {
            throw new DamagedValueException("the private key of its order cannot be read", exception);
        }
    }
}
