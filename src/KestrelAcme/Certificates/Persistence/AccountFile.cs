using System.Security.Cryptography;
using System.Text.Json;
using KestrelAcme.Protocol.Accounts;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The stored form of an <see cref="AccountRecord"/>.</summary>
internal static class AccountFile
{
    private const string NotKeys = "it does not hold one private key, or two";

    public static byte[] Encode(AccountRecord record)
    {
        string[] keys = record.NextPrivateKeyPem is { } next ? [record.PrivateKeyPem, next] : [record.PrivateKeyPem];
        return PemDocument.Encode(
            JsonSerializer.SerializeToUtf8Bytes(record.Metadata, PersistenceJsonContext.Default.AccountMetadata),
            keys.Select(key => (PemDocument.PrivateKeyLabel, Content(key))));
    }

    /// <exception cref="DamagedValueException">The value is not an account file.</exception>
    public static AccountRecord Decode(ReadOnlySpan<byte> value)
    {
        var document = new PemDocumentReader(value);
        var keys = new List<byte[]>(2);
        while (document.Next())
        {
            keys.Add(document.Is(PemDocument.PrivateKeyLabel) && keys.Count < 2 ? document.Read() : throw new DamagedValueException(NotKeys));
        }

        if (keys.Count == 0)
        {
            throw new DamagedValueException(NotKeys);
        }

        var metadata = StoredJson.Decode(document.Metadata, PersistenceJsonContext.Default.AccountMetadata, "its metadata");
        try
        {
            return new AccountRecord(Readable(keys[0]), metadata, keys.Count > 1 ? Readable(keys[1]) : null);
        }
        catch (ArgumentException exception)
        {
            throw new DamagedValueException("its private key cannot be read", exception);
        }
    }

    // Armour may be sound around a key that is not.
    private static string Readable(byte[] key)
    {
        var pem = PemEncoding.WriteString(PemDocument.PrivateKeyLabel, key);
        using var readable = AccountKey.FromPem(pem);
        return pem;
    }

    private static ReadOnlyMemory<byte> Content(string pem) => Convert.FromBase64String(pem[PemEncoding.Find(pem).Base64Data]);
}
