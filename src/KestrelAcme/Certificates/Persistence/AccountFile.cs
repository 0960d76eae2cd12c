using System.Security.Cryptography;
using System.Text.Json;
using KestrelAcme.Certificates.Model;
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

    /// <summary>Reads an account file. Where only what stands around its key is damaged, the record is <see cref="AccountRecord.IsRepaired"/>: no account is given up for that.</summary>
    /// <exception cref="DamagedValueException">The value holds no key that can be read.</exception>
    public static AccountRecord Decode(ReadOnlySpan<byte> value)
    {
        try
        {
            return DecodeWhole(value);
        }
        catch (DamagedValueException) when (Salvage(value) is { } saved)
        {
            return saved;
        }
    }

    private static AccountRecord DecodeWhole(ReadOnlySpan<byte> value)
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
            return metadata.DirectoryUrl.IsAbsoluteUri && metadata.AccountUrl is not { IsAbsoluteUri: false }
                ? new AccountRecord(Readable(keys[0]), metadata, keys.Count > 1 ? Readable(keys[1]) : null)
                : throw new DamagedValueException("a URL in its metadata is not absolute");
        }
        catch (ArgumentException exception)
        {
            throw new DamagedValueException("its private key cannot be read", exception);
        }
    }

    // The first two keys that can be read: which of them the authority knows, it says itself.
    private static AccountRecord? Salvage(ReadOnlySpan<byte> value)
    {
        var keys = new List<string>(2);
        var text = StoredText.Normalize(value);
        foreach (var (label, content) in PemDocumentReader.ReadAny(text))
        {
            if (label == PemDocument.PrivateKeyLabel && keys.Count < 2 && TryReadKey(content) is { } key && !keys.Contains(key))
            {
                keys.Add(key);
            }
        }

        var metadata = new AccountMetadata { DirectoryUrl = SavedFields.Url(text, "directoryUrl") ?? CertificateMetadata.UnknownUrl, CreatedAt = default };
        return keys.Count == 0 ? null : new AccountRecord(keys[0], metadata, keys.ElementAtOrDefault(1)) { IsRepaired = true };
    }

    private static string? TryReadKey(byte[] content)
    {
        try
        {
            return Readable(content);
        }
        catch (ArgumentException)
        {
            return null;
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
