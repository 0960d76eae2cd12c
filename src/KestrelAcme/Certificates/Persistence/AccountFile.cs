using System.Security.Cryptography;
using System.Text.Json;
using KestrelAcme.Protocol.Accounts;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The stored form of an <see cref="AccountRecord"/>.</summary>
internal static class AccountFile
{
    public static byte[] Encode(AccountRecord record)
    {
        List<(string, byte[])> blocks = [(PemDocument.PrivateKeyLabel, Content(record.PrivateKeyPem))];
        if (record.NextPrivateKeyPem is { } next)
        {
            blocks.Add((PemDocument.PrivateKeyLabel, Content(next)));
        }

        return new PemDocument(JsonSerializer.SerializeToUtf8Bytes(record.Metadata, PersistenceJsonContext.Default.AccountMetadata), blocks).Encode();
    }

    /// <exception cref="DamagedValueException">The value is not an account file.</exception>
    public static AccountRecord Decode(ReadOnlySpan<byte> value)
    {
        var document = PemDocument.Decode(value);
        if (document.Blocks is not ([_] or [_, _]) || document.Blocks.Any(b => b.Label != PemDocument.PrivateKeyLabel))
        {
            throw new DamagedValueException("it does not hold one private key, or two");
        }

        var metadata = StoredJson.Decode(document.Metadata.Span, PersistenceJsonContext.Default.AccountMetadata, "its metadata");
        try
        {
            return new AccountRecord(Readable(document.Blocks[0].Content), metadata, document.Blocks.Count > 1 ? Readable(document.Blocks[1].Content) : null);
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

    private static byte[] Content(string pem) => Convert.FromBase64String(pem[PemEncoding.Find(pem).Base64Data]);
}
