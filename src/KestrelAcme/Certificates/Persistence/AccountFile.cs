using System.Security.Cryptography;
using System.Text.Json;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The stored form of an <see cref="AccountRecord"/>.</summary>
internal static class AccountFile
{
    public static byte[] Encode(AccountRecord record)
    {
        var fields = PemEncoding.Find(record.PrivateKeyPem);
        var key = Convert.FromBase64String(record.PrivateKeyPem[fields.Base64Data]);
        return new PemDocument(
            JsonSerializer.Serialize(record.Metadata, PersistenceJsonContext.Default.AccountMetadata),
            [(PemDocument.PrivateKeyLabel, key)]).Encode();
    }

    /// <exception cref="DamagedValueException">The value is not an account file.</exception>
    public static AccountRecord Decode(ReadOnlySpan<byte> value)
    {
        var document = PemDocument.Decode(value);
        if (document.Blocks is not [(PemDocument.PrivateKeyLabel, var key)])
        {
            throw new DamagedValueException("it does not hold exactly one private key");
        }

        try
        {
            var metadata = JsonSerializer.Deserialize(document.Metadata, PersistenceJsonContext.Default.AccountMetadata)
                ?? throw new DamagedValueException("its metadata is empty");
            return new AccountRecord(PemEncoding.WriteString(PemDocument.PrivateKeyLabel, key), metadata);
        }
        catch (JsonException exception)
        {
            throw new DamagedValueException($"its metadata is not readable: {exception.Message}", exception);
        }
    }
}
